// Package webhook is the kind of AppTarget that tells a receiver of each change of access by an HTTP call, signed as Standard
// Webhooks says. What the receiver was told is the target's ledger: what it is yet to be told is the difference to what is
// wanted, so that there is no queue to be lost, and nothing to be told twice but what was under way when the operator ended.
package webhook

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"k8s.io/utils/clock"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// stepSize is how many people are told of in one step: a change is told with all others of the same person.
const stepSize = 50

// Kind is this kind.
var Kind = targets.Kind{Name: "webhook", StepSize: stepSize, Open: open}

// system is what one receiver was told.
type system struct {
	target  *v1alpha1.AppTarget
	ledger  *targets.Ledger
	clock   clock.PassiveClock
	client  *http.Client
	signers []*standardwebhooks.Webhook
	every   time.Duration // 0 is never

	// wanted are what the receiver is to know of each subject, and people and roles those of whom Want was last told.
	wanted map[string][]string
	people map[string]targets.Person
	roles  []targets.Role
	// seen is kept up to date with the ledger.
	seen *targets.Observation
	// refused are subjects of which the receiver refused something, by what was wanted then: it is not asked again before
	// something else is.
	refused map[string][]string
	// snapshot is what is left of one that is being sent.
	snapshot *snapshot
}

func open(ctx context.Context, env targets.Environment) (targets.System, error) {
	spec := env.Target.Spec.Webhook
	if _, err := url.Parse(spec.URL); err != nil {
		return nil, targets.Invalidate("webhook.url is no address: write one such as https://hooks.example.com/scim")
	}
	every, err := time.ParseDuration(cmp.Or(spec.SnapshotInterval, "24h"))
	if err != nil {
		return nil, targets.Invalidate("webhook.snapshotInterval is no duration: write one such as 6h, or 0s for never")
	}
	secret, err := env.Secret(ctx, spec.Credentials.Name)
	if err != nil {
		return nil, err
	}
	signers, err := signersOf(spec.Credentials.Name, secret[v1alpha1.TargetSecretSigningKey])
	if err != nil {
		return nil, err
	}
	client, err := env.Egress.Client(secret[v1alpha1.TargetSecretCAKey])
	if err != nil {
		return nil, err
	}
	return &system{
		target: env.Target, ledger: env.Ledger, clock: env.Clock, client: client, signers: signers, every: every,
		refused: map[string][]string{},
	}, nil
}

const (
	secretPrefix = "whsec_"
	// Standard Webhooks bounds a secret so, in bytes.
	minSecret, maxSecret = 24, 64
)

// signersOf reads signing secrets that are separated by spaces. It returns an Invalid for what is none.
func signersOf(name string, value []byte) ([]*standardwebhooks.Webhook, error) {
	var signers []*standardwebhooks.Webhook
	for text := range strings.FieldsSeq(string(value)) {
		encoded, is := strings.CutPrefix(text, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !is || err != nil || len(key) < minSecret || len(key) > maxSecret {
			return nil, noSecret(name)
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, noSecret(name)
		}
		signers = append(signers, signer)
	}
	if len(signers) == 0 {
		return nil, noSecret(name)
	}
	return signers, nil
}

func noSecret(name string) error {
	return targets.Invalidate("the key signingSecret of Secret %q is not whsec_ and %d to %d bytes in base64, or several of these "+
		"separated by spaces: make one with: echo \"whsec_$(openssl rand -base64 32)\"", name, minSecret, maxSecret)
}
