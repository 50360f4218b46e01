package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// Whatever is logged, however it is cut by crashes of the machine and read in
// whatever pieces: numbers rise, nothing whole is lost, nothing comes twice.
func TestLogIsReadOnceAndInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, strings.Repeat("x", n%50)+time.Now().Format("150405.000000000"))
		defer os.Remove(path)
		w, err := openLog(path)
		if err != nil {
			t.Fatal(err)
		}
		tail := &logTail{path: path}
		var wrote, read []string
		last := int64(0)
		take := func() {
			got, to, err := tail.Next(rapid.IntRange(1, 5).Draw(t, "max"))
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range got {
				if l.Seq <= last {
					t.Fatalf("number %d after %d", l.Seq, last)
				}
				last = l.Seq
				read = append(read, l.Text)
			}
			if rapid.Bool().Draw(t, "ack") {
				tail.Ack(to)
			} else { // the call failed, and the same comes again
				read = read[:len(read)-len(got)]
				last = tail.seq
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"log": func(t *rapid.T) {
				text := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "text"))
				w.Log(berth.Log{Text: text})
				wrote = append(wrote, cleanText(text))
			},
			"read": func(*rapid.T) { take() },
			"crash": func(t *rapid.T) {
				w.Close()
				f, _ := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
				f.WriteString(`{"seq":9999,"te`)
				f.Close()
				if w, err = openLog(path); err != nil {
					t.Fatal(err)
				}
			},
		})
		for range 1000 {
			if len(read) == len(wrote) {
				break
			}
			take()
		}
		if strings.Join(read, "\n") != strings.Join(wrote, "\n") {
			t.Fatalf("wrote %q, read %q", wrote, read)
		}
		w.Close()
	})
}

func TestLogTextIsCleaned(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a\x00b", "\xff\xfe", strings.Repeat("é", maxLine)} {
		got := cleanText(text)
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > maxLine+20 {
			t.Errorf("cleanText gave %d bytes, valid %v", len(got), utf8.ValidString(got))
		}
	}
}

func TestLogIsCutAtItsLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	w, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	text := strings.Repeat("x", maxLine)
	for range maxLog/maxLine + 100 {
		w.Log(berth.Log{Text: text})
	}
	info, _ := os.Stat(path)
	if info.Size() > maxLog+2*maxLine {
		t.Errorf("the log has %d bytes", info.Size())
	}
	tail := &logTail{path: path}
	var last string
	for {
		got, to, err := tail.Next(1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		last = got[len(got)-1].Text
		tail.Ack(to)
	}
	if !strings.Contains(last, "left out") {
		t.Errorf("the last line is %.80q", last)
	}
}

func TestBudgetStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var spent time.Duration
		b := newBudget(time.Minute, func() { spent = time.Since(begin) })
		time.Sleep(20 * time.Second)
		b.Pause()
		b.Pause()
		time.Sleep(time.Hour)
		b.Resume()
		b.Resume()
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := time.Hour + time.Minute; spent != want {
			t.Errorf("spent after %v, want %v", spent, want)
		}
		b.Pause()
		b.Resume()
		synctest.Wait()
	})
}
