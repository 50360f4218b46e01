package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/berthdev/berth/api"
)

//go:embed docs.html
var docsText string

//go:embed docs.css
var docsStyle string

var docsPage = template.Must(template.New("docs").Parse(docsText))

// mountSpec serves the OpenAPI document and a page made from it. Neither loads
// anything from elsewhere, and the page runs no script.
func mountSpec(mux *http.ServeMux, spec *huma.OpenAPI) {
	document, err := specJSON(spec)
	if err != nil {
		panic(err) // types that cannot be described; a test makes the document too
	}
	page, err := docs(spec)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte(docsStyle))
	policy := "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	mux.HandleFunc("GET "+api.Prefix+"/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		w.Write(document)
	})
	mux.HandleFunc("GET "+api.Prefix+"/docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Write(page)
	})
}

func specJSON(spec *huma.OpenAPI) ([]byte, error) {
	compact, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// The page's view of the document.
type (
	docsNoun      struct{ Name, Operations any }
	docsOperation struct {
		*huma.Operation
		Path    string
		Access  string
		Takes   []docsType
		Gives   []docsType
		Answers string
	}
	docsType   struct{ Media, Type, Ref string }
	docsSchema struct {
		Name, About string
		Fields      []docsField
	}
	docsField struct {
		Name, About string
		Required    bool
		docsType
	}
)

func docs(spec *huma.OpenAPI) ([]byte, error) {
	nouns := map[string][]docsOperation{}
	for path, item := range spec.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o != nil {
				noun := o.Tags[0]
				nouns[noun] = append(nouns[noun], docsOf(path, o))
			}
		}
	}
	var sections []docsNoun
	for _, noun := range sortedKeys(nouns) {
		slices.SortFunc(nouns[noun], func(a, b docsOperation) int {
			return strings.Compare(a.Path+a.Method, b.Path+b.Method)
		})
		sections = append(sections, docsNoun{noun, nouns[noun]})
	}
	var schemas []docsSchema
	all := spec.Components.Schemas.Map()
	for _, name := range sortedKeys(all) {
		schemas = append(schemas, schemaOf(name, all[name]))
	}
	var out bytes.Buffer
	err := docsPage.Execute(&out, map[string]any{
		"Style": template.CSS(docsStyle), "Info": spec.Info, "Nouns": sections, "Schemas": schemas,
	})
	return out.Bytes(), err
}

func docsOf(path string, o *huma.Operation) docsOperation {
	d := docsOperation{Operation: o, Path: api.Prefix + path, Access: fmt.Sprint(o.Extensions["x-access"])}
	if o.RequestBody != nil {
		d.Takes = typesOf(o.RequestBody.Content)
	}
	for _, code := range sortedKeys(o.Responses) {
		if code != "default" {
			d.Answers = code
			d.Gives = append(d.Gives, typesOf(o.Responses[code].Content)...)
		}
	}
	return d
}

func typesOf(content map[string]*huma.MediaType) (types []docsType) {
	for _, media := range sortedKeys(content) {
		t := typeOf(content[media].Schema)
		t.Media = media
		types = append(types, t)
	}
	return types
}

func schemaOf(name string, s *huma.Schema) docsSchema {
	d := docsSchema{Name: name, About: s.Description}
	for _, field := range sortedKeys(s.Properties) {
		p := s.Properties[field]
		about := p.Description
		if len(p.Enum) > 0 {
			about = strings.TrimSpace(about + " One of " + strings.Trim(fmt.Sprint(p.Enum), "[]"))
		}
		d.Fields = append(d.Fields, docsField{Name: field, About: about, Required: slices.Contains(s.Required, field), docsType: typeOf(p)})
	}
	return d
}

// typeOf names a schema in a word, and the schema that it is made of.
func typeOf(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{Type: "anything"}
	case s.Ref != "":
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		return docsType{Type: name, Ref: name}
	case s.Items != nil:
		t := typeOf(s.Items)
		return docsType{Type: "list of " + t.Type, Ref: t.Ref}
	case s.Format != "":
		return docsType{Type: s.Type + " (" + s.Format + ")"}
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		t := typeOf(values)
		return docsType{Type: "map of " + t.Type, Ref: t.Ref}
	}
	return docsType{Type: s.Type}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
