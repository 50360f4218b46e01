package journal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"google.golang.org/protobuf/encoding/protowire"
)

// What a journal holds may be from anything that ran as the build's user, and is
// read by the runner, which serves others too.
func TestForgedRecordsEndNothing(t *testing.T) {
	t.Parallel()
	field := func(f fieldNumber, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, f, protowire.BytesType), b)
	}
	var block []byte
	for range 2_000 {
		nested := append(field(nestedName, []byte("a")), field(nestedBlock, block)...)
		nested = protowire.AppendVarint(protowire.AppendTag(nested, nestedNesting, protowire.VarintType), nestSingle)
		block = field(blockNested, nested)
	}
	if _, err := ReadShape(field(schemaBlock, block)); err == nil {
		t.Error("a schema of 2000 blocks inside one another was read")
	}
	list := Shape{Type: cty.List(cty.String)}
	for name, text := range map[string]string{
		"a long list":   "\xdd\xff\xff\xff\xff",
		"a short list":  "\xdc\x00\x05\xc0",
		"a long text":   "\x91\xdb\xff\xff\xff\xffa",
		"nothing":       "\xc1",
		"lists":         strings.Repeat("\x91", 100_000) + "\xc0",
		"a long map":    "\xdf\xff\xff\xff\xff",
		"more than one": "\xc0\xc0",
	} {
		if v, err := list.Value(field(dynamicMsgpack, []byte(text))); err == nil {
			t.Errorf("%s: %#v", name, v)
		}
	}
	deep := Shape{Type: cty.DynamicPseudoType}
	text := bytes.Repeat([]byte(`{"type":"dynamic","value":`), 50_000)
	if v, err := deep.Value(field(dynamicJSON, text)); err == nil {
		t.Errorf("%#v", v)
	}
	if v, err := list.Value(field(dynamicMsgpack, []byte("\x92\xa1a\xc0"))); err != nil || v.LengthInt() != 2 {
		t.Errorf("%#v, %v", v, err)
	}
}
