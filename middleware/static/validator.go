package static

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/internal/conditional"
	"github.com/gowsgi/gowsgi/wsgi"
)

// validators are what tells one content of a file from another.
type validators struct {
	etag     string    // with its quotes, and W/ before them when it is weak; "" for none
	modified time.Time // in whole seconds; zero for none
	strong   bool      // of both
}

// unsettled is the age up to which a file could change once more and keep its
// modification time: the coarsest clock of a file system, that of FAT.
const unsettled = 2 * time.Second

// validators returns those of the file name, in the given coding, or "".
func (s *site) validators(name, coding string, info fs.FileInfo) (validators, error) {
	if coding != "" {
		coding = "-" + coding
	}
	modified := info.ModTime()
	if modified.Unix() <= 1 { // 0 and 1 are what reproducible builds write into every file
		if !embedded(info) {
			return validators{}, nil
		}
		digest, err := s.digest(name)
		return validators{etag: `"` + digest + coding + `"`, strong: true}, err
	}
	v := validators{etag: `"` + strconv.FormatInt(modified.UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + coding + `"`}
	age := s.now().Sub(modified)
	if v.strong = age >= unsettled; !v.strong {
		v.etag = "W/" + v.etag
	}
	if age >= 0 { // none from the future (RFC 9110, 8.8.2.1)
		v.modified = modified.Truncate(time.Second)
	}
	return v, nil
}

// ranged reports whether If-Range, when it is there, allows to send a part: it
// has to name just what the file is now, by a strong validator (RFC 9110, 13.1.5).
func (v validators) ranged(environ *wsgi.Environ) bool {
	value := environ.Var("HTTP_IF_RANGE")
	if value == "" {
		return true
	}
	if strings.Contains(value, `"`) {
		tag, rest := conditional.CutETag(value)
		return rest == "" && conditional.Strongly(tag, v.etag)
	}
	date, ok := conditional.ParseDate(value)
	return ok && v.strong && date.Equal(v.modified)
}

// embedded reports whether info is of an embed.FS: such a file has no time, and
// never changes.
func embedded(info fs.FileInfo) bool {
	t := reflect.TypeOf(info)
	return t != nil && t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "embed"
}

// digest returns the digest of an embedded file, which is computed once.
func (s *site) digest(name string) (string, error) {
	if known, ok := s.digests.Load(name); ok {
		return known.(string), nil
	}
	file, err := s.Files.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	digest := base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16])
	s.digests.Store(name, digest)
	return digest, nil
}
