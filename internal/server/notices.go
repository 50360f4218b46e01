package server

import (
	"log/slog"

	"github.com/berthdev/berth/internal/notices"
)

// notices are the ways out of the house that the settings name.
func (o Options) notices(accessURL string, log *slog.Logger) notices.Options {
	n := notices.Options{AccessURL: accessURL, QuietHours: o.QuietHours, Log: log}
	if o.SMTPAddress != "" {
		n.Mail = &notices.Mail{Address: o.SMTPAddress, From: o.SMTPFrom, Username: o.SMTPUsername, PasswordFile: o.SMTPPasswordFile, TLS: o.SMTPTLS}
	}
	if o.WebhookURL != "" {
		n.Webhook = &notices.Webhook{URL: o.WebhookURL, SecretFile: o.WebhookSecretFile}
	}
	return n
}
