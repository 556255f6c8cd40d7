package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// leafLifetime bounds what the authority signs. Everything is signed anew at each start.
const leafLifetime = 365 * 24 * time.Hour

// authority is the one key pair behind all that a control plane signs: its serving certificate, the
// certificates of its users, and ServiceAccount tokens. Kept in a folder, it lets a kubeconfig survive a
// restart. It is envtest's way to authenticate users.
type authority struct {
	certFile, keyFile string
	certificate       *x509.Certificate
	key               crypto.Signer
}

// openAuthority loads the authority kept in dir, or makes one there.
func openAuthority(dir string) (*authority, error) {
	a := &authority{certFile: filepath.Join(dir, "ca.crt"), keyFile: filepath.Join(dir, "ca.key")}
	if _, err := os.Stat(a.certFile); errors.Is(err, fs.ErrNotExist) {
		if err := a.create(dir); err != nil {
			return nil, fmt.Errorf("create a certificate authority in %s: %w", dir, err)
		}
	}
	pair, err := tls.LoadX509KeyPair(a.certFile, a.keyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: remove %s to get a new one", err, dir)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s holds no key that can sign: remove %s to get a new one", a.keyFile, dir)
	}
	a.certificate, a.key = pair.Leaf, signer
	return a, nil
}

// create writes the certificate last and at once, so that an interrupted start leaves none.
func (a *authority) create(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := certutil.NewSelfSignedCACert(certutil.Config{CommonName: "scim-operator-development"}, key)
	if err != nil {
		return err
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.keyFile, keyPEM, 0o600); err != nil {
		return err
	}
	partial := a.certFile + ".partial"
	if err := os.WriteFile(partial, encode(certificate.Raw), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, a.certFile)
}

// bundle is what clients trust.
func (a *authority) bundle() []byte {
	return encode(a.certificate.Raw)
}

// serve writes the serving certificate where kube-apiserver looks for it.
func (a *authority) serve(certDir string) error {
	certificate, key, err := a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(certDir, "apiserver.crt"), certificate, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(certDir, "apiserver.key"), key, 0o600)
}

// Configure makes kube-apiserver trust the authority's users and sign ServiceAccount tokens with its key.
func (a *authority) Configure(_ string, args *envtest.Arguments) error {
	args.Set("client-ca-file", a.certFile)
	args.Set("service-account-key-file", a.certFile)
	args.Set("service-account-signing-key-file", a.keyFile)
	return nil
}

// Start has nothing to do.
func (a *authority) Start() error { return nil }

// Stop has nothing to do.
func (a *authority) Stop() error { return nil }

// AddUser returns base with a certificate for the user.
func (a *authority) AddUser(user envtest.User, base *rest.Config) (*rest.Config, error) {
	certificate, key, err := a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user.Name, Organization: user.Groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", user.Name, err)
	}
	config := rest.CopyConfig(base)
	config.CertData, config.KeyData = certificate, key
	return config, nil
}

// sign completes the template with a fresh key, serial number and lifetime.
func (a *authority) sign(template *x509.Certificate) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(leafLifetime)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(private)
	return encode(raw), key, err
}

func encode(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certutil.CertificateBlockType, Bytes: certificate})
}
