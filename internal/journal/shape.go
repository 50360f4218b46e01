package journal

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
)

// Shape is what a plugin's schema says of a resource type's values.
type Shape struct {
	Version int64
	Type    cty.Type
	Secret  []cty.Path // of attributes that are sensitive in every value; an element of a collection is an unknown index
}

// Fields of schemas. Where the protocols 5 and 6 differ, the numbers do not
// collide for what is read here.
const (
	schemaVersion, schemaBlock                          = 1, 2
	blockAttributes, blockNested                        = 2, 3
	attributeName, attributeType                        = 1, 2
	attributeSensitive, attributeObject                 = 7, 10
	objectAttributes, objectNesting                     = 1, 3
	nestedName, nestedBlock, nestedNesting              = 1, 2, 3
	nestSingle, nestList, nestSet, nestMap, nestGroup   = 1, 2, 3, 4, 5
	dynamicMsgpack, dynamicJSON                         = 1, 2
	pathSteps, stepAttribute, stepKeyString, stepKeyInt = 1, 1, 2, 3
)

// ReadShape reads a schema as plugins send it.
func ReadShape(schema []byte) (Shape, error) {
	var s Shape
	var block []byte
	if len(schema) > maxShape {
		return s, errors.New("the plugin's schema is too large")
	}
	ok := each(schema, func(f fieldNumber, b []byte, n uint64) {
		switch f {
		case schemaVersion:
			s.Version = int64(n)
		case schemaBlock:
			block = b
		}
	})
	if !ok || len(schema) == 0 {
		return s, errors.New("the plugin's schema cannot be read")
	}
	var err error
	s.Type, err = s.block(block, nil)
	return s, err
}

func (s *Shape) block(message []byte, at cty.Path) (cty.Type, error) {
	if len(at) > maxNesting {
		return cty.NilType, errUnbearable
	}
	attributes := map[string]cty.Type{}
	var failed error
	note := func(name string, t cty.Type, err error) {
		attributes[name] = t
		failed = errors.Join(failed, err)
	}
	ok := each(message, func(f fieldNumber, b []byte, _ uint64) {
		switch {
		case f == blockAttributes && b != nil:
			note(s.attribute(b, at))
		case f == blockNested && b != nil:
			note(s.nested(b, at))
		}
	})
	if !ok {
		failed = errors.New("a block of the plugin's schema cannot be read")
	}
	if failed != nil {
		return cty.NilType, failed
	}
	return cty.Object(attributes), nil
}

func (s *Shape) attribute(message []byte, at cty.Path) (name string, t cty.Type, err error) {
	var text, object []byte
	sensitive := false
	each(message, func(f fieldNumber, b []byte, n uint64) {
		switch f {
		case attributeName:
			name = string(b)
		case attributeType:
			text = b
		case attributeSensitive:
			sensitive = n != 0
		case attributeObject:
			object = b // a number in protocol 5, where it means something else
		}
	})
	here := at.Copy().GetAttr(name)
	if sensitive {
		s.Secret = append(s.Secret, here)
	}
	if object != nil {
		t, err = s.object(object, here)
		return name, t, err
	}
	t, err = ctyjson.UnmarshalType(text)
	return name, t, err
}

func (s *Shape) object(message []byte, at cty.Path) (cty.Type, error) {
	if len(at) > maxNesting {
		return cty.NilType, errUnbearable
	}
	nesting := uint64(0)
	each(message, func(f fieldNumber, _ []byte, n uint64) {
		if f == objectNesting {
			nesting = n
		}
	})
	attributes := map[string]cty.Type{}
	var failed error
	ok := each(message, func(f fieldNumber, b []byte, _ uint64) {
		if f == objectAttributes && b != nil {
			name, t, err := s.attribute(b, inside(at, nesting))
			attributes[name] = t
			failed = errors.Join(failed, err)
		}
	})
	if !ok {
		failed = errors.New("an object of the plugin's schema cannot be read")
	}
	if failed != nil {
		return cty.NilType, failed
	}
	return wrapped(cty.Object(attributes), nesting)
}

func (s *Shape) nested(message []byte, at cty.Path) (name string, t cty.Type, err error) {
	var block []byte
	nesting := uint64(0)
	each(message, func(f fieldNumber, b []byte, n uint64) {
		switch f {
		case nestedName:
			name = string(b)
		case nestedBlock:
			block = b
		case nestedNesting:
			nesting = n
		}
	})
	if t, err = s.block(block, inside(at.Copy().GetAttr(name), nesting)); err != nil {
		return name, cty.NilType, err
	}
	t, err = wrapped(t, nesting)
	return name, t, err
}

// inside is the path of an element, whichever it is.
func inside(at cty.Path, nesting uint64) cty.Path {
	switch nesting {
	case nestList, nestSet, nestMap:
		return at.Copy().Index(cty.DynamicVal)
	}
	return at
}

func wrapped(t cty.Type, nesting uint64) (cty.Type, error) {
	switch nesting {
	case nestSingle, nestGroup:
		return t, nil
	case nestList:
		if t.HasDynamicTypes() {
			return cty.DynamicPseudoType, nil
		}
		return cty.List(t), nil
	case nestSet:
		return cty.Set(t), nil
	case nestMap:
		if t.HasDynamicTypes() {
			return cty.DynamicPseudoType, nil
		}
		return cty.Map(t), nil
	}
	return cty.NilType, fmt.Errorf("the plugin's schema nests in a way (%d) that is not known", nesting)
}

// Value reads a value as the protocol carries it. Nothing at all is null.
func (s Shape) Value(dynamic []byte) (cty.Value, error) {
	if m := last(dynamic, dynamicMsgpack); len(m) > 0 {
		if err := bearable(m); err != nil {
			return cty.NilVal, err
		}
		return msgpack.Unmarshal(m, s.Type)
	}
	if text := last(dynamic, dynamicJSON); len(text) > 0 {
		if err := bearableJSON(text); err != nil {
			return cty.NilVal, err
		}
		return ctyjson.Unmarshal(text, s.Type)
	}
	return cty.NullVal(s.Type), nil
}

// Path reads an attribute path as the protocol carries it.
func Path(message []byte) (path cty.Path) {
	each(message, func(f fieldNumber, step []byte, _ uint64) {
		if f != pathSteps || step == nil {
			return
		}
		each(step, func(f fieldNumber, b []byte, n uint64) {
			switch f {
			case stepAttribute:
				path = append(path, cty.GetAttrStep{Name: string(b)})
			case stepKeyString:
				path = append(path, cty.IndexStep{Key: cty.StringVal(string(b))})
			case stepKeyInt:
				path = append(path, cty.IndexStep{Key: cty.NumberIntVal(int64(n))})
			}
		})
	})
	return path
}
