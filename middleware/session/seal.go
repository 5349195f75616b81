package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
)

// sealer is the cipher XAES-256-GCM: AES-256-GCM under a key that is derived from
// the first half of a nonce of 24 bytes. GCM's own nonce is too short to be chosen
// at random for as many cookies as a busy site hands out.
//
// Source: C2SP, XAES-256-GCM.
type sealer struct {
	block cipher.Block
	mask  [16]byte // K1 of the CMAC
}

const (
	nonceSize = 24
	overhead  = nonceSize + 16 // bytes that a sealed text is longer
)

// associated is authenticated besides: the form of what is inside.
var associated = []byte("gowsgi session 1")

var encoding = base64.RawURLEncoding.Strict()

func newSealer(key []byte) *sealer {
	s := new(sealer)
	s.block = must(aes.NewCipher(key))
	s.block.Encrypt(s.mask[:], s.mask[:])
	carry := s.mask[0] >> 7
	for i := range s.mask {
		s.mask[i] <<= 1
		if i+1 < len(s.mask) {
			s.mask[i] |= s.mask[i+1] >> 7
		}
	}
	s.mask[15] ^= carry * 0x87
	return s
}

// derived returns the cipher for the nonces that begin with the given 12 bytes.
func (s *sealer) derived(nonce []byte) cipher.AEAD {
	var key [32]byte
	for i := range 2 {
		half := key[16*i : 16*i+16]
		half[1], half[2] = byte(i+1), 'X'
		copy(half[4:], nonce[:12])
		for j := range half {
			half[j] ^= s.mask[j]
		}
		s.block.Encrypt(half, half)
	}
	return must(cipher.NewGCM(must(aes.NewCipher(key[:]))))
}

// must is for keys whose length is known.
func must[T any](value T, err error) T {
	if err != nil {
		panic("session: " + err.Error())
	}
	return value
}

// seal returns text, encrypted, as it is in a cookie.
func (s *sealer) seal(text []byte) string {
	sealed := make([]byte, nonceSize, overhead+len(text))
	rand.Read(sealed)
	sealed = s.derived(sealed).Seal(sealed, sealed[12:24], text, associated)
	return encoding.EncodeToString(sealed)
}

// open returns what was sealed.
func (s *sealer) open(sealed []byte) ([]byte, bool) {
	if len(sealed) < overhead {
		return nil, false
	}
	text, err := s.derived(sealed).Open(nil, sealed[12:24], sealed[24:], associated)
	return text, err == nil
}
