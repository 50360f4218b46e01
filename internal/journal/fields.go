package journal

import (
	"google.golang.org/protobuf/encoding/protowire"
)

type fieldNumber = protowire.Number

// each calls visit for the fields of a protobuf message: bytes for those that
// have a length, number for those that are numbers. It is false where the
// message is broken.
func each(message []byte, visit func(field fieldNumber, bytes []byte, number uint64)) bool {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		switch kind {
		case protowire.BytesType:
			b, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return false
			}
			visit(field, b, 0)
			message = message[n:]
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(message)
			if n < 0 {
				return false
			}
			visit(field, nil, v)
			message = message[n:]
		default:
			n := protowire.ConsumeFieldValue(field, kind, message)
			if n < 0 {
				return false
			}
			message = message[n:]
		}
	}
	return true
}

// last is the last value of a field that has a length; nil if there is none.
func last(message []byte, field fieldNumber) (value []byte) {
	each(message, func(f fieldNumber, b []byte, _ uint64) {
		if f == field && b != nil {
			value = b
		}
	})
	return value
}

// Fields of ApplyResourceChange and PlanResourceChange, which are the same in
// the protocols 5 and 6.
const (
	requestType           = 1
	requestPrior          = 2
	applyPlanned          = 3
	requestConfig         = 4
	applyPrivate          = 5
	responseState         = 1
	applyResponsePrivate  = 2
	applyResponseProblems = 3
	planResponseReplace   = 2

	schemaResources    = 2 // of GetProviderSchema's response: maps
	schemaData         = 3
	mapKey, mapValue   = 1, 2
	diagnosticSeverity = 1
	diagnosticSummary  = 2
	diagnosticDetail   = 3
	severityError      = 1
)

// isNull tells whether a DynamicValue is null: that is one byte in msgpack.
func isNull(dynamic []byte) bool {
	const msgpack, json = 1, 2
	if m := last(dynamic, msgpack); len(m) > 0 {
		return len(m) == 1 && m[0] == 0xc0
	}
	text := last(dynamic, json)
	return len(text) == 0 || string(text) == "null"
}

// problems are the errors among the diagnostics of a response.
func problems(response []byte, field fieldNumber) (list []string) {
	each(response, func(f fieldNumber, b []byte, _ uint64) {
		if f != field || b == nil {
			return
		}
		var severity uint64
		var text, detail string
		each(b, func(f fieldNumber, b []byte, n uint64) {
			switch f {
			case diagnosticSeverity:
				severity = n
			case diagnosticSummary:
				text = string(b)
			case diagnosticDetail:
				detail = string(b)
			}
		})
		if severity == severityError {
			if detail != "" && detail != text {
				text += ": " + detail
			}
			list = append(list, text)
		}
	})
	return list
}

// refusal is the response to a change that may not be made: nothing is changed.
func refusal(request []byte, why string) []byte {
	var problem, response []byte
	problem = protowire.AppendTag(problem, diagnosticSeverity, protowire.VarintType)
	problem = protowire.AppendVarint(problem, severityError)
	problem = protowire.AppendTag(problem, diagnosticSummary, protowire.BytesType)
	problem = protowire.AppendString(problem, why)
	response = protowire.AppendTag(response, responseState, protowire.BytesType)
	response = protowire.AppendBytes(response, last(request, requestPrior))
	response = protowire.AppendTag(response, applyResponseProblems, protowire.BytesType)
	return protowire.AppendBytes(response, problem)
}

// schemaOf finds the schema of a resource type in the response to
// GetProviderSchema; nil if it has none.
func schemaOf(response []byte, kind string) (schema []byte) {
	each(response, func(f fieldNumber, b []byte, _ uint64) {
		if f == schemaResources && b != nil && string(last(b, mapKey)) == kind {
			schema = last(b, mapValue)
		}
	})
	return schema
}

// onlyOf is the response to GetProviderSchema with the types of resources and
// data that are wanted, and all else that it has. A message that is not
// understood stays as it is.
func onlyOf(response []byte, wanted map[string]bool) []byte {
	kept := make([]byte, 0, len(response)/4)
	for rest := response; len(rest) > 0; {
		field, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return response
		}
		size := protowire.ConsumeFieldValue(field, kind, rest[n:])
		if size < 0 {
			return response
		}
		whole := rest[:n+size]
		rest = rest[n+size:]
		if kind == protowire.BytesType && (field == schemaResources || field == schemaData) {
			entry, _ := protowire.ConsumeBytes(whole[n:])
			if !wanted[string(last(entry, mapKey))] {
				continue
			}
		}
		kept = append(kept, whole...)
	}
	return kept
}
