package store

import (
	"crypto/sha256"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Credential is what a bearer token stands for.
type Credential struct {
	// Namespace and Directory name the ScimDirectory.
	Namespace, Directory string
	// Token is the token's name in the directory's spec.
	Token string
	// Read and Write are the token's scopes.
	Read, Write bool
	// Suspended says that the directory answers no calls at the moment.
	Suspended bool
	// Expired says that the token's time has passed: it stands for nothing.
	Expired bool

	uid           types.UID // of the directory
	secretVersion string
}

// credentials finds directories by the hash of a token.
type credentials struct {
	secrets     map[client.ObjectKey]tokenSecret
	byHash      map[[sha256.Size]byte][]client.ObjectKey
	directories map[string]map[string]*v1alpha1.ScimDirectory
}

// tokenSecret is what is known of a Secret that holds a token.
type tokenSecret struct {
	hash    [sha256.Size]byte
	version string
}

func newCredentials() credentials {
	return credentials{
		secrets:     map[client.ObjectKey]tokenSecret{},
		byHash:      map[[sha256.Size]byte][]client.ObjectKey{},
		directories: map[string]map[string]*v1alpha1.ScimDirectory{},
	}
}

func (c *credentials) putSecret(s *corev1.Secret) {
	c.removeSecret(s)
	f, err := v1alpha1.ReadTokenSecret(string(s.Type), s.Data)
	// The index has no use for the plaintext and must not keep it.
	s.Data = nil
	if err != nil {
		return // the directory's condition TokensValid says what is wrong with it
	}
	key := client.ObjectKeyFromObject(s)
	c.secrets[key] = tokenSecret{f.SHA256, s.ResourceVersion}
	c.byHash[f.SHA256] = append(c.byHash[f.SHA256], key)
}

func (c *credentials) removeSecret(s *corev1.Secret) {
	key := client.ObjectKeyFromObject(s)
	secret, ok := c.secrets[key]
	if !ok {
		return
	}
	hash := secret.hash
	delete(c.secrets, key)
	c.byHash[hash] = slices.DeleteFunc(c.byHash[hash], func(k client.ObjectKey) bool { return k == key })
	if len(c.byHash[hash]) == 0 {
		delete(c.byHash, hash)
	}
}

func (c *credentials) putDirectory(d *v1alpha1.ScimDirectory) {
	if c.directories[d.Namespace] == nil {
		c.directories[d.Namespace] = map[string]*v1alpha1.ScimDirectory{}
	}
	c.directories[d.Namespace][d.Name] = d
}

func (c *credentials) removeDirectory(d *v1alpha1.ScimDirectory) {
	delete(c.directories[d.Namespace], d.Name)
	if len(c.directories[d.Namespace]) == 0 {
		delete(c.directories, d.Namespace)
	}
}

// find returns every credential that the token stands for, or has stood for until it expired.
func (c *credentials) find(hash [sha256.Size]byte, now time.Time) []Credential {
	var found []Credential
	for _, secret := range c.byHash[hash] {
		for _, d := range c.directories[secret.Namespace] {
			// A directory that is being deleted accepts nothing that would be lost with it.
			if !d.DeletionTimestamp.IsZero() {
				continue
			}
			for _, t := range d.Spec.Tokens {
				if t.SecretRef.Name != secret.Name {
					continue
				}
				found = append(found, Credential{
					Namespace: d.Namespace, Directory: d.Name, Token: t.Name, Suspended: d.Spec.Suspended,
					Read:  t.Allows(v1alpha1.ScopeRead),
					Write: t.Allows(v1alpha1.ScopeWrite),

					Expired: t.ExpirationTime != nil && !now.Before(t.ExpirationTime.Time),
					uid:     d.UID, secretVersion: c.secrets[secret].version,
				})
			}
		}
	}
	return found
}

// Authenticate returns what the token stands for. With namespace and directory it must be a token of that directory;
// without, the token must be of one directory only. It answers false for a token that is unknown, expired, of another
// directory or ambiguous. Which of these, only the credential says, for the logs: it is that of an expired token, else
// zero.
func (s *Store) Authenticate(token, namespace, directory string) (Credential, bool) {
	hash := sha256.Sum256([]byte(token))
	s.index.mu.RLock()
	found := s.index.credentials.find(hash, s.now())
	s.index.mu.RUnlock()
	if namespace != "" || directory != "" {
		found = slices.DeleteFunc(found, func(c Credential) bool { return c.Namespace != namespace || c.Directory != directory })
	}
	if valid := slices.DeleteFunc(slices.Clone(found), func(c Credential) bool { return c.Expired }); len(valid) > 0 {
		found = valid
	}
	if len(found) == 0 {
		return Credential{}, false
	}
	for _, c := range found[1:] {
		if c.Namespace != found[0].Namespace || c.Directory != found[0].Directory {
			return Credential{}, false
		}
		// The same Secret under two names: what either of them allows.
		found[0].Read, found[0].Write = found[0].Read || c.Read, found[0].Write || c.Write
	}
	return found[0], !found[0].Expired
}
