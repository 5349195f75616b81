package wsgitest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestRecordCases(t *testing.T) {
	for _, tc := range cases(files(t)) {
		t.Run(tc.name, func(t *testing.T) {
			res := wsgitest.Record(tc.app, tc.request)
			if diff := cmp.Diff(tc.want, visible(res)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}
