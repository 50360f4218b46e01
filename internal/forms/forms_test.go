package forms_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/source"
)

// open reads a template of these files; a single one is main.tf.
func open(t testing.TB, files ...string) *forms.Template {
	t.Helper()
	all := source.Files{}
	if len(files) == 1 {
		files = []string{"main.tf", files[0]}
	}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = []byte(files[i+1])
	}
	template, err := forms.Open(all)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// shown is a form in short: "name=value" of each question, with what is said of it.
func shown(r forms.Result) string {
	var list []string
	for _, q := range r.Questions {
		s := q.Name + "=" + q.Value
		if q.Source == berth.FromNowhere {
			s = q.Name + "?"
		}
		if len(q.Options) > 0 {
			var values []string
			for _, o := range q.Options {
				values = append(values, o.Value)
			}
			s += "(" + strings.Join(values, "|") + ")"
		}
		if q.Problem != "" {
			s += " !" + q.Problem
		}
		if q.Note != "" {
			s += " ~" + q.Note
		}
		list = append(list, s)
	}
	return strings.Join(append(list, r.Notes...), "\n")
}

const conditional = `
locals {
  sizes = { small = 2, large = 8 }
  teams = toset([for g in data.coder_workspace_owner.me.groups : lower(g) if g != "Everyone"])
}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "kind" {
  name    = "kind"
  default = "container"
  order   = 1
  dynamic "option" {
    for_each = contains(data.coder_workspace_owner.me.groups, "gpu") ? ["container", "vm", "gpu"] : ["container", "vm"]
    content {
      name  = title(option.value)
      value = option.value
    }
  }
}
data "coder_parameter" "disk" {
  count   = data.coder_parameter.kind.value == "vm" ? 1 : 0
  name    = "disk"
  type    = "number"
  default = local.sizes["large"] * 10
  order   = 2
  validation {
    min = 10
    max = local.sizes.large * 100
  }
}
data "coder_parameter" "team" {
  for_each = local.teams
  name     = "team ${each.key}"
  type     = "bool"
  default  = each.key == "infra"
  order    = 3
}
data "coder_parameter" "label" {
  name    = "label"
  default = "${data.coder_workspace_owner.me.name}-${try(data.coder_parameter.disk[0].value, "none")}"
  order   = 4
}
`

func TestQuestionsFollowAnswersAndOwner(t *testing.T) {
	t.Parallel()
	template := open(t, conditional)
	for _, c := range []struct {
		name    string
		groups  []string
		answers parameters.Answers
		want    string
	}{
		{"nothing answered", []string{"Everyone"}, parameters.Answers{}, "kind=container(container|vm)\nlabel=ana-none"},
		{"one answer brings another question", []string{"Everyone"}, parameters.Answers{Request: map[string]string{"kind": "vm"}}, "kind=vm(container|vm)\ndisk=80\nlabel=ana-80"},
		{"an answer to that goes on", nil, parameters.Answers{Request: map[string]string{"kind": "vm", "disk": "20"}}, "kind=vm(container|vm)\ndisk=20\nlabel=ana-20"},
		{"options by group", []string{"gpu", "infra"}, parameters.Answers{}, "kind=container(container|vm|gpu)\nteam gpu=false\nteam infra=true\nlabel=ana-none"},
		{"a preset wins", nil, parameters.Answers{Preset: map[string]string{"kind": "vm"}, Request: map[string]string{"kind": "container"}}, "kind=vm(container|vm)\ndisk=80\nlabel=ana-80"},
		{"what is kept", nil, parameters.Answers{Previous: map[string]string{"kind": "vm", "disk": "900"}}, "kind=vm(container|vm)\ndisk=900 !900 is more than the maximum, 800\nlabel=ana-900"},
	} {
		r := template.Evaluate(forms.Input{Answers: c.answers, Owner: forms.Owner{Name: "ana", Groups: c.groups}})
		if diff := cmp.Diff(c.want, shown(r)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		if !r.Possible["disk"] || !r.Open {
			t.Errorf("%s: disk may be asked, and teams of any name: %v %v", c.name, r.Possible, r.Open)
		}
	}
}

func TestWhatOnlyTerraformKnowsIsAsTheImportFoundIt(t *testing.T) {
	t.Parallel()
	imported := []berth.Parameter{
		{Name: "image", Type: "string", Default: "a", Options: []berth.ParameterOption{{Name: "a", Value: "a"}, {Name: "b", Value: "b"}}},
		{Name: "extra", Type: "string", Default: "x"},
		{Name: "gone", Type: "string", Default: "x"},
	}
	for name, c := range map[string]struct{ text, want string }{
		"options of an attribute": {`
			data "http" "images" { url = "https://example.com" }
			data "coder_parameter" "image" {
			  name    = "image"
			  default = "b"
			  dynamic "option" {
			    for_each = jsondecode(data.http.images.response_body)
			    content {
			      name  = option.value
			      value = option.value
			    }
			  }
			}`, "image=b(a|b) ~As the import found it, since it depends on data.http.images: options."},
		"a default": {`data "coder_parameter" "extra" {
			  name    = "extra"
			  default = docker_image.main.name
			}`, "extra=x ~As the import found it, since it depends on docker_image.main: default."},
		"count": {`data "coder_parameter" "extra" {
			  count   = data.http.x.status_code == 200 ? 1 : 0
			  name    = "extra"
			  default = "y"
			}`, "extra=x\ngone=x\nimage=a(a|b)\nmain.tf:1: Whether extra is asked depends on data.http.x, which is not known before Terraform runs: it is shown as the import found it."},
		"a module that is not there": {`module "x" { source = "registry.example.com/a/b/c" }`,
			"extra=x\ngone=x\nimage=a(a|b)\nmain.tf:1: What the module x asks is shown as the import found it: it depends on module.x."},
		"a function": {`data "coder_parameter" "extra" {
			  name    = "extra"
			  default = uuid()
			}`, "extra=x ~As the import found it, since it depends on what only Terraform knows: default."},
		"itself": {`locals {
			  a = local.b
			  b = local.a
			}
			data "coder_parameter" "extra" {
			  name    = "extra"
			  default = local.a
			}`, "extra=x ~As the import found it, since it depends on local.a, which depends on itself: default."},
		"a secret": {`variable "key" {
			  default   = "s3cret"
			  sensitive = true
			}
			data "coder_parameter" "extra" {
			  name    = "extra"
			  default = "${var.key}!"
			}`, "extra=x ~As the import found it, since it depends on what only Terraform knows: default."},
		"an unanswered question": {`
			data "coder_parameter" "first" { name = "first" }
			data "coder_parameter" "second" {
			  count = data.coder_parameter.first.value == "a" ? 1 : 0
			  name = "extra"
			}`, "first? !a value is needed: give --parameter first=VALUE\nMore is asked once there is an answer to first."},
	} {
		found := slices.DeleteFunc(slices.Clone(imported), func(p berth.Parameter) bool {
			return !strings.Contains(c.want, p.Name+"=") && !strings.Contains(c.text, `name = "`+p.Name) // what nothing in the files can be is asked too
		})
		r := open(t, c.text).Evaluate(forms.Input{Imported: found})
		if diff := cmp.Diff(c.want, shown(r)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestModulesVariablesAndConditions(t *testing.T) {
	t.Parallel()
	template := open(t,
		"main.tf", `
variable "regions" {
  type    = list(object({ name = string, big = optional(bool, false) }))
  default = []
}
module "region" {
  source  = "./modules/region"
  regions = var.regions
  prefix  = "in"
}
module "many" {
  for_each = toset(["a", "b"])
  source   = "./modules/one"
  name     = each.key
}
data "coder_parameter" "size" {
  count = module.region.big ? 1 : 0
  name  = "size"
  type  = "number"
  default = 3
  lifecycle {
    precondition {
      condition     = module.region.value != "eu"
      error_message = "There is nothing large in ${module.region.value}."
    }
    postcondition {
      condition     = self.value < 10
      error_message = "Take less than 10."
    }
  }
}
data "coder_parameter" "list" {
  name    = "list"
  type    = "list(string)"
  default = jsonencode([for k, m in module.many : m.out])
}`,
		"modules/region/main.tf", `
variable "regions" {}
variable "prefix" { type = string }
data "coder_parameter" "region" {
  name    = "region"
  default = var.regions[0].name
  dynamic "option" {
    for_each = { for r in var.regions : r.name => r }
    iterator = each_region
    content {
      name  = "${var.prefix} ${upper(each_region.key)}"
      value = each_region.value.name
    }
  }
}
output "value" { value = data.coder_parameter.region.value }
output "big" { value = one([for r in var.regions : r.big if r.name == data.coder_parameter.region.value]) }`,
		"modules/one/main.tf", `
variable "name" {}
data "coder_parameter" "p" {
  name    = "p-${var.name}"
  default = file("motd")
}
output "out" { value = "${var.name}:${data.coder_parameter.p.value}" }`,
		"motd", "hi",
	)
	in := forms.Input{
		Variables: map[string]string{"regions": `[{ name = "us" }, { name = "eu", big = true }]`},
		Answers:   parameters.Answers{Request: map[string]string{"region": "eu", "size": "12", "p-b": "yo"}},
	}
	want := `list=["a:hi","b:yo"]
p-a=hi
p-b=yo
region=eu(eu|us)
size=12 !There is nothing large in eu.; Take less than 10.`
	if diff := cmp.Diff(want, shown(template.Evaluate(in))); diff != "" {
		t.Error(diff)
	}
	in.Answers.Request["region"] = "us"
	if got := shown(template.Evaluate(in)); strings.Contains(got, "size") {
		t.Errorf("us is not large: %s", got)
	}
}

// Every template ends soon, whatever it wants.
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	double := "locals {\n" + `a0 = "aaaaaaaaaaaaaaaa"`
	for i := range 60 {
		double += fmt.Sprintf("\n a%d = \"${local.a%d}${local.a%d}\"", i+1, i, i)
	}
	double += "\n}"
	parameter := func(value string) string {
		return "data \"coder_parameter\" \"p\" {\n name = \"p\"\n default = " + value + "\n}"
	}
	long := "locals {\n" + `x0 = "1"`
	for i := range 5000 {
		long += fmt.Sprintf("\n x%d = local.x%d", i+1, i)
	}
	long += "\n}\n" + parameter("local.x5000")
	for name, files := range map[string][]string{
		"doubling":        {double + "\n" + parameter("local.a60")},
		"loops in loops":  {parameter("length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]])")},
		"ranges":          {parameter("length(range(1000000000))")},
		"wide format":     {parameter(`format("%999999999d", 1)`)},
		"repeated format": {"locals {\n s = join(\"\", [for i in range(1000) : \"0123456789\"])\n}\n" + parameter(`format(join("", [for i in range(1000) : "%[1]s"]), local.s)`)},
		"products":        {parameter("length(setproduct(range(1000), range(1000), range(1000), range(1000)))")},
		"replacing":       {parameter(`replace(replace(replace(replace(join("", [for i in range(900) : "a"]), "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaa")`)},
		"an expression":   {parameter(`regex("((a{100}){100}){10}", join("", [for i in range(1000) : "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]))`)},
		"expressions":     {"locals {\n r = \"(?:" + strings.Repeat("abcdefghij", 300) + "){1000}\"\n t = [for i in range(60) : can(regex(local.r, \"${i}\"))]\n}\n" + parameter(`join("", local.t)`)},
		"matches": {"locals {\n r = \"(?:a?){500}(?:a?){500}b\"\n s = join(\"\", [for i in range(400) : \"aaaaaaaaaa\"])\n" +
			" t = [for i in range(120) : can(regex(local.r, \"${local.s}${i}\"))]\n}\n" + parameter(`join("", local.t)`)},
		"many matches": {"locals {\n s = join(\"\", [for i in range(1000) : \"aaaaaaaaaaaaaaaaaaaa\"])\n" +
			" t = [for i in range(30) : length(regexall(\"a.*b|a\", \"${local.s}${i}\"))]\n}\n" + parameter(`join("", local.t)`)},
		"validation": {"data \"coder_parameter\" \"p\" {\n name = \"p\"\n default = \"x\"\n}\ndata \"coder_parameter\" \"q\" {\n count = 100\n name = \"q${count.index}\"\n default = \"x\"\n" +
			" validation {\n regex = \"(?:" + strings.Repeat("abcdefghij", 300) + "){1000}\"\n error = \"e\"\n}\n}"},
		"numbers":         {parameter("1e99999999")},
		"numbers in text": {parameter(`"1e999999999" % 3`)},
		"numbers, padded": {parameter(`"000000000000000000000000000000000000000000000000000000000000000000000000001e999999999" % 3`)},
		"many questions":  {"data \"coder_parameter\" \"p\" {\n for_each = toset([for i in setproduct(range(100), range(100)) : join(\"-\", i)])\n name = each.key\n}"},
		"long chain":      {long},
		"modules": {"main.tf", "module \"a\" {\n source = \"./m\"\n}\nmodule \"b\" {\n source = \"./m\"\n}",
			"m/main.tf", "module \"a\" {\n source = \"../m\"\n}\nmodule \"b\" {\n source = \"../m\"\n}"},
		"dynamic": {"data \"coder_parameter\" \"p\" {\n name = \"p\"\n dynamic \"option\" {\n for_each = range(1024)\n content {\n name = option.value\n value = join(\",\", [for x in range(1024) : x])\n}\n}\n}"},
		"template files": {"main.tf", parameter(`templatefile("t", { n = range(1000) })`),
			"t", "%{ for a in n }%{ for b in n }%{ for c in n }${a}${b}${c}%{ endfor }%{ endfor }%{ endfor }"},
		"nested template files": {"main.tf", parameter(`templatefile("t", {})`), "t", strings.Repeat("%{ if true }", 5000) + strings.Repeat("%{ endif }", 5000)},
		"many template files":   {"main.tf", parameter(`join("", [for i in range(1000) : templatefile("t", {})])`), "t", strings.Repeat("0123456789", 6000)},
		"networks":              {parameter(`cidrhost("10.0.0.0/8", pow(2, 100000))`)},
		"modules outside":       {"module \"a\" {\n source = \"../../etc\"\n}\n" + parameter(`file("../../etc/passwd")`)},
	} {
		begin := time.Now()
		template := open(t, files...)
		r := template.Evaluate(forms.Input{Imported: []berth.Parameter{{Name: "p", Type: "string", Default: "imported"}}})
		took := time.Since(begin)
		if took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
		if !slices.ContainsFunc(r.Questions, func(q berth.Question) bool {
			return q.Name == "p" && (q.Value == "imported" || q.Source == berth.FromDefault)
		}) {
			t.Errorf("%s: %s", name, shown(r))
		}
		t.Logf("%s: %s: %.200s", name, took.Round(time.Millisecond), shown(r))
	}
}

func TestNestedTooDeep(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"brackets": strings.Repeat("(", 20_000) + "1" + strings.Repeat(")", 20_000),
		"signs":    strings.Repeat("!", 20_000) + "true",
		"choices":  strings.Repeat("true ? 1 : ", 20_000) + "1",
		"sums":     "1" + strings.Repeat(" + 1", 20_000),
		"indexes":  "a" + strings.Repeat("[b]", 20_000),
		"ifs":      `"` + strings.Repeat("%{if a}", 20_000) + strings.Repeat("%{endif}", 20_000) + `"`,
		"calls":    strings.Repeat("f(", 20_000) + strings.Repeat(")", 20_000),
		"open":     strings.Repeat("[", 20_000),
	} {
		if _, err := forms.Open(source.Files{"main.tf": []byte("locals {\n a = " + value + "\n}\n")}); err == nil || !strings.Contains(err.Error(), "nested") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := forms.Open(source.Files{"main.tf.json": []byte(strings.Repeat(`{"a":[`, 20_000))}); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("JSON: %v", err)
	}
}

// ten questions, some of which depend on others.
func ten() string {
	text := conditional
	for i := range 6 {
		text += fmt.Sprintf("data \"coder_parameter\" \"p%d\" {\n name = \"p%d\"\n count = data.coder_parameter.kind.value == \"vm\" ? 1 : 0\n default = join(\"-\", [for s in keys(local.sizes) : upper(s)])\n}\n", i, i)
	}
	return text
}

func BenchmarkTen(b *testing.B) {
	template := open(b, ten())
	in := forms.Input{Owner: forms.Owner{Name: "ana", Groups: []string{"gpu", "infra"}}, Answers: parameters.Answers{Request: map[string]string{"kind": "vm"}}}
	if n := len(template.Evaluate(in).Questions); n < 10 {
		b.Fatal(n)
	}
	for b.Loop() {
		template.Evaluate(in)
	}
}

func BenchmarkOpenTen(b *testing.B) {
	text := ten()
	for b.Loop() {
		open(b, text)
	}
}

// Whatever a file holds, it is read and evaluated without harm.
func FuzzEvaluate(f *testing.F) {
	f.Add(conditional, "kind", "vm")
	f.Add("data \"coder_parameter\" \"p\" {\n name = \"p\"\n default = format(\"%s\", [1])\n}", "p", "x")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		template, err := forms.Open(source.Files{"main.tf": []byte(text)})
		if err != nil {
			return
		}
		begin := time.Now()
		r := template.Evaluate(forms.Input{Answers: parameters.Answers{Request: map[string]string{name: value}}})
		if took := time.Since(begin); took > 10*time.Second {
			t.Fatalf("it took %s", took)
		}
		seen := maps.Clone(r.Possible)
		for _, q := range r.Questions {
			if !seen[q.Name] {
				t.Fatalf("%q is asked but not possible", q.Name)
			}
		}
	})
}
