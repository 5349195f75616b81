package wsgi

import "unicode/utf8"

// EncodeLatin1 makes a native string out of text: one byte for each character.
// A character beyond U+00FF has no such byte and is refused with a
// ContractError (STR-05); so is text that is not valid UTF-8.
func EncodeLatin1(text string) (string, error) {
	ascii := true
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return text, nil
	}
	native := make([]byte, 0, len(text))
	for i, r := range text {
		if r > 0xFF {
			if r == utf8.RuneError {
				if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
					return "", broken("STR-05", "text is not valid UTF-8 at byte %d", i)
				}
			}
			return "", broken("STR-05", "character %U at byte %d is not Latin-1", r, i)
		}
		native = append(native, byte(r))
	}
	return string(native), nil
}

// DecodeLatin1 makes text out of a native string: one character for each byte.
// It cannot fail. Text that was sent as UTF-8, which is usual for paths, needs
// no decoding at all: the bytes of a native string are the bytes on the wire.
func DecodeLatin1(native string) string {
	n := 0
	for i := 0; i < len(native); i++ {
		if native[i] >= utf8.RuneSelf {
			n++
		}
	}
	if n == 0 {
		return native
	}
	text := make([]byte, 0, len(native)+n)
	for i := 0; i < len(native); i++ {
		text = utf8.AppendRune(text, rune(native[i]))
	}
	return string(text)
}
