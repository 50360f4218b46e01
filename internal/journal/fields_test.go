package journal

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestOnlyOf(t *testing.T) {
	t.Parallel()
	entry := func(field protowire.Number, key string) []byte {
		inner := protowire.AppendString(protowire.AppendTag(nil, mapKey, protowire.BytesType), key)
		inner = protowire.AppendString(protowire.AppendTag(inner, mapValue, protowire.BytesType), "schema of "+key)
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), inner)
	}
	provider := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "provider")
	able := protowire.AppendVarint(protowire.AppendTag(nil, 6, protowire.VarintType), 1)
	function := entry(7, "unwanted") // functions stay, whatever their names
	whole := bytes.Join([][]byte{provider, entry(schemaResources, "a"), entry(schemaResources, "b"), entry(schemaData, "b"), entry(schemaData, "c"), able, function}, nil)
	want := bytes.Join([][]byte{provider, entry(schemaResources, "b"), entry(schemaData, "b"), able, function}, nil)
	if got := onlyOf(whole, map[string]bool{"b": true}); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if string(schemaOf(want, "b")) != "schema of b" {
		t.Error("the schema is lost")
	}
	broken := append(bytes.Clone(whole), 0xff)
	if got := onlyOf(broken, nil); !bytes.Equal(got, broken) {
		t.Error("what is not understood was changed")
	}
}
