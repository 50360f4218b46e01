package notices

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Mail is the server that e-mail is handed to.
type Mail struct {
	Address      string // HOST:PORT
	From         string // such as Berth <berth@example.com>
	Username     string // empty: without signing in
	PasswordFile string
	TLS          string         // starttls (empty), tls, or none, which is for this machine alone
	Roots        *x509.CertPool // nil: those of the system
}

// What a mail server may take for one answer.
const mailTimeout = 20 * time.Second

// mailer is the post of e-mail.
type mailer struct {
	o          Mail
	host       string
	port       int
	from       *mail.Address
	accessURL  string
	timeout    time.Duration
	ourAddress string // of Message-ID
}

// newMailer checks what can be without asking the mail server.
func newMailer(o Mail, accessURL string) (*mailer, error) {
	host, portText, err := net.SplitHostPort(o.Address)
	port, perr := strconv.Atoi(portText)
	if err != nil || perr != nil || host == "" || port < 1 || port > 65535 {
		return nil, berth.Errorf(berth.Invalid, "--smtp-address %s: give host and port, such as mail.example.com:587", o.Address)
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, berth.Errorf(berth.Invalid, "--smtp-from %q: give the address that notices come from, such as 'Berth <berth@example.com>'", o.From)
	}
	switch o.TLS = cmp.Or(o.TLS, "starttls"); {
	case o.TLS != "starttls" && o.TLS != "tls" && o.TLS != "none":
		return nil, berth.Errorf(berth.Invalid, "--smtp-tls %s: use starttls, tls or none", o.TLS)
	case o.TLS == "none" && !loopback(host):
		return nil, berth.Errorf(berth.Invalid, "--smtp-tls none: notices go to %s in the clear; that is for a mail server on this machine alone. Use starttls or tls", host)
	case o.Username == "" && o.PasswordFile != "":
		return nil, berth.Errorf(berth.Invalid, "--smtp-password-file needs --smtp-username")
	}
	m := &mailer{o: o, host: host, port: port, from: from, accessURL: accessURL, timeout: mailTimeout, ourAddress: "berth.invalid"}
	if u, err := url.Parse(accessURL); err == nil && u.Hostname() != "" {
		m.ourAddress = u.Hostname()
	}
	if _, err := m.password(); err != nil {
		return nil, err
	}
	return m, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// password is read again each time, so that it can be changed.
func (m *mailer) password() (string, error) {
	if m.o.PasswordFile == "" {
		return "", nil
	}
	data, err := os.ReadFile(m.o.PasswordFile)
	if err != nil {
		return "", berth.Errorf(berth.Invalid, "--smtp-password-file cannot be read: %v", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

func (m *mailer) open(ctx context.Context) (sending, error) {
	password, err := m.password()
	if err != nil {
		return nil, errAway{err}
	}
	ctx, cancel := context.WithCancel(ctx)
	options := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTimeout(m.timeout), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch m.o.TLS {
	case "tls": // the library dials: only so does it know that it may sign in by a password
		options = append(options, gomail.WithSSL())
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithDialContextFunc(m.dial(ctx)))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithDialContextFunc(m.dial(ctx)))
	}
	if m.o.Username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.o.Username), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(m.host, options...)
	if err != nil {
		cancel()
		return nil, errAway{err}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		cancel()
		return nil, errAway{fmt.Errorf("the mail server %s: %w", m.o.Address, err)}
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &mailing{mailer: m, client: client, conn: conn, cancel: cancel}, nil
}

// dial connects; what is connected is cut off when ctx ends, also while the
// server lets us wait for its greeting.
func (m *mailer) dial(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: m.timeout}
		conn, err := d.DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { conn.Close() })
		return conn, nil
	}
}

// mailing is one connection to the mail server.
type mailing struct {
	*mailer
	client *gomail.Client
	conn   *smtp.Client
	cancel context.CancelFunc
}

func (m *mailing) send(_ context.Context, d store.Delivery) error {
	msg, err := m.letter(d)
	if err != nil {
		return err
	}
	err = m.client.SendWithSMTPClient(m.conn, msg)
	if err == nil || msg.IsDelivered() { // what follows is not about this letter
		return nil
	}
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() != 0 {
		return err // it answers, and does not want this one
	}
	return errAway{err}
}

func (m *mailing) close() {
	// A server that hangs is not waited for at the end.
	bye := time.AfterFunc(time.Second, m.cancel)
	m.conn.Quit()
	bye.Stop()
	m.cancel()
}

// letter is a notice as it is mailed.
func (m *mailer) letter(d store.Delivery) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.To(d.User.Email); err != nil {
		return nil, fmt.Errorf("%q is no address: %w", d.User.Email, err)
	}
	msg.FromMailAddress(m.from)
	n := d.Notice
	msg.Subject(line(n.Title))
	msg.SetMessageIDWithValue(string(n.ID) + "@" + m.ourAddress)
	msg.SetDateWithValue(n.CreatedAt)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Berth-Notice", string(n.ID))
	msg.SetGenHeader("X-Berth-Kind", n.Kind)
	msg.SetBodyString(gomail.TypeTextPlain, paragraphs(n.Body, n.Data["link"])+
		"\n\n-- \nBerth, "+m.accessURL+"\nWhat you are told of, and how: berth notices preferences\n")
	return msg, nil
}
