package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tenant is one directory as its identity provider sees it.
type tenant struct {
	namespace, directory string
	token                string
	url                  string // of the server that it talks to
}

var everything = []v1alpha1.TokenScope{v1alpha1.ScopeRead, v1alpha1.ScopeWrite}

// newTenant makes a directory in a namespace of its own and waits until the server knows its token.
func newTenant(ctx context.Context, changes ...func(*v1alpha1.ScimDirectory)) *tenant {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "tenant-"}}
	Expect(cluster.Create(ctx, namespace)).To(Succeed())
	return newDirectory(ctx, namespace.Name, "okta", changes...)
}

// newDirectory makes one more directory, with one token.
func newDirectory(ctx context.Context, namespace, name string, changes ...func(*v1alpha1.ScimDirectory)) *tenant {
	GinkgoHelper()
	t := &tenant{namespace: namespace, directory: name, url: server.URL, token: newToken(ctx, namespace, name)}
	directory := &v1alpha1.ScimDirectory{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ScimDirectorySpec{Tokens: []v1alpha1.DirectoryToken{
			{Name: name, SecretRef: v1alpha1.SecretReference{Name: name}, Scopes: everything},
		}},
	}
	for _, change := range changes {
		change(directory)
	}
	Expect(cluster.Create(ctx, directory)).To(Succeed())
	t.waitUntilKnown()
	return t
}

// newToken makes a Secret and returns the token in it.
func newToken(ctx context.Context, namespace, secret string) string {
	GinkgoHelper()
	token := "scimop_" + strings.ReplaceAll(uuid.NewString(), "-", "") + strings.ReplaceAll(uuid.NewString(), "-", "")
	Expect(cluster.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: secret},
		Type:       v1alpha1.TokenSecretType,
		Data:       map[string][]byte{v1alpha1.TokenSecretKey: []byte(token)},
	})).To(Succeed())
	return token
}

// waitUntilKnown returns once the server has seen the directory and its Secret, whatever else it says of them.
func (t *tenant) waitUntilKnown() {
	GinkgoHelper()
	Eventually(func() bool {
		_, ok := storage.Authenticate(t.token, t.namespace, t.directory)
		return ok
	}).WithTimeout(20 * time.Second).Should(BeTrue())
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// String shows an answer in a failed expectation.
func (a *answer) String() string {
	return fmt.Sprintf("%d %s", a.status, a.text)
}

func (a *answer) id() string {
	id, _ := a.body["id"].(string)
	return id
}

// scimType is empty where the answer is no error, or one without keyword.
func (a *answer) scimType() string {
	s, _ := a.body["scimType"].(string)
	return s
}

// resources are those of a list.
func (a *answer) resources() []map[string]any {
	GinkgoHelper()
	list, ok := a.body["Resources"].([]any)
	Expect(ok).To(BeTrue(), "Resources is not an array: %v", a)
	resources := make([]map[string]any, len(list))
	for i, r := range list {
		resources[i] = r.(map[string]any)
	}
	return resources
}

func (t *tenant) base() string {
	return t.url + "/scim/v2/" + t.namespace + "/" + t.directory
}

// call sends a request as the directory's identity provider. The body is JSON already if it is a string.
// Headers are given as name, value; an empty value leaves a default out.
func (t *tenant) call(method, path string, body any, headers ...string) *answer {
	GinkgoHelper()
	return t.send(method, t.base()+path, body, headers...)
}

func (t *tenant) send(method, url string, body any, headers ...string) *answer {
	GinkgoHelper()
	var payload io.Reader
	if body != nil {
		text, isText := body.(string)
		if !isText {
			encoded, err := json.Marshal(body)
			Expect(err).NotTo(HaveOccurred())
			text = string(encoded)
		}
		payload = strings.NewReader(text)
	}
	request, err := http.NewRequest(method, url, payload)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+t.token)
	request.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())

	a := &answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		Expect(decoder.Decode(&a.body)).To(Succeed(), "an answer that is no JSON: %s", text)
	}
	return a
}

func (t *tenant) get(path string, headers ...string) *answer {
	GinkgoHelper()
	return t.call(http.MethodGet, path, nil, headers...)
}

// patch sends operations, each given as a JSON object.
func (t *tenant) patch(path string, operations ...string) *answer {
	GinkgoHelper()
	return t.call(http.MethodPatch, path,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+strings.Join(operations, ",")+`]}`)
}

// addUser makes a user and returns its id.
func (t *tenant) addUser(userName string) string {
	GinkgoHelper()
	a := t.call(http.MethodPost, "/Users", map[string]any{"userName": userName})
	Expect(a.status).To(Equal(http.StatusCreated), a.String())
	return a.id()
}

// addGroup makes a group and returns its id.
func (t *tenant) addGroup(displayName string, members ...string) string {
	GinkgoHelper()
	list := []any{}
	for _, id := range members {
		list = append(list, map[string]any{"value": id})
	}
	a := t.call(http.MethodPost, "/Groups", map[string]any{"displayName": displayName, "members": list})
	Expect(a.status).To(Equal(http.StatusCreated), a.String())
	return a.id()
}

// members are the ids of the members that a group shows.
func (t *tenant) members(group string) []string {
	GinkgoHelper()
	a := t.get("/Groups/" + group)
	Expect(a.status).To(Equal(http.StatusOK), a.String())
	list, _ := a.body["members"].([]any)
	ids := []string{}
	for _, m := range list {
		ids = append(ids, m.(map[string]any)["value"].(string))
	}
	return ids
}

// stored is everything in the namespace that a SCIM request could have written, each with its version.
func (t *tenant) stored(ctx context.Context) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{},
	} {
		Expect(cluster.List(ctx, list, client.InNamespace(t.namespace))).To(Succeed())
		switch list := list.(type) {
		case *v1alpha1.ScimUserList:
			for _, o := range list.Items {
				versions["user "+o.Name] = o.ResourceVersion
			}
		case *v1alpha1.ScimGroupList:
			for _, o := range list.Items {
				versions["group "+o.Name] = o.ResourceVersion
			}
		case *v1alpha1.ScimMemberSliceList:
			for _, o := range list.Items {
				versions["slice "+o.Name] = o.ResourceVersion
			}
		}
	}
	return versions
}
