package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// namespace is that of config/samples/demo.yaml.
	namespace  = "demo"
	targetName = "openfga"
)

// operator is the one that `make run` serves: its cluster as an administrator sees it, and SCIM as an identity provider does.
type operator struct {
	client.Client
	scim, token string
}

func connect() (*operator, error) {
	config, err := ctrl.GetConfig() // KUBECONFIG
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	return &operator{c, os.Getenv("SCIM_BASE_URL"), os.Getenv("SCIM_TOKEN")}, err
}

// makeTarget has the operator keep the store, and returns when it is in sync.
func (o *operator) makeTarget(ctx context.Context, address, storeID string) error {
	if err := o.removeTarget(); err != nil { // that of a demo whose end did not come
		return err
	}
	t := &v1alpha1.AppTarget{
		ObjectMeta: metav1.ObjectMeta{Name: targetName, Namespace: namespace},
		Spec: v1alpha1.AppTargetSpec{
			Mode:    v1alpha1.TargetEnforce,
			OpenFGA: &v1alpha1.OpenFGATarget{URL: address, StoreID: storeID},
		},
	}
	for _, role := range []string{"member", "admin", "developer", "support", "billing"} {
		t.Spec.OpenFGA.Tuples = append(t.Spec.OpenFGA.Tuples, v1alpha1.OpenFGATuple{Role: role, Relation: role, Object: organization})
	}
	if err := o.Create(ctx, t); err != nil {
		return err
	}
	var last string
	err := until(ctx, "the AppTarget does not become ready", func(ctx context.Context) (bool, error) {
		if err := o.Get(ctx, client.ObjectKeyFromObject(t), t); err != nil {
			return false, err
		}
		ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
		if ready != nil {
			last = ready.Message
		}
		return ready != nil && ready.Reason == v1alpha1.ReasonInSync, nil
	})
	if err != nil && last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

// removeTarget lets the target go. What is in the store ends with the server.
func (o *operator) removeTarget() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: targetName, Namespace: namespace}}
	orphan := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"deletionPolicy":"Orphan"}}`))
	err := o.Patch(ctx, t, orphan)
	if err == nil {
		err = o.Delete(ctx, t)
	}
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	return until(ctx, "the AppTarget does not end", func(ctx context.Context) (bool, error) {
		err := o.Get(ctx, client.ObjectKeyFromObject(t), t)
		return err != nil, client.IgnoreNotFound(err)
	})
}

// activePeople are the user names of the people who are active, those with the most roles first.
func (o *operator) activePeople(ctx context.Context) ([]string, error) {
	var members v1alpha1.AppMembershipList
	if err := o.List(ctx, &members, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	active := slices.DeleteFunc(members.Items, func(m v1alpha1.AppMembership) bool { return !m.Spec.Active || m.Spec.UserRef == nil })
	if len(active) == 0 {
		return nil, errors.New("nobody in the namespace demo is active: run `make demo` to have people provisioned")
	}
	slices.SortFunc(active, func(a, b v1alpha1.AppMembership) int {
		if n := len(b.Spec.Roles) - len(a.Spec.Roles); n != 0 {
			return n
		}
		return strings.Compare(a.Spec.User.UserName, b.Spec.User.UserName)
	})
	names := make([]string, 0, len(active))
	for _, m := range active {
		names = append(names, m.Spec.User.UserName)
	}
	return names[:min(len(names), 12)], nil
}

// switchUser activates or deactivates a user by SCIM, and tells how long it took until OpenFGA knew.
func (o *operator) switchUser(ctx context.Context, userName string, active bool, s *store) (time.Duration, error) {
	id, err := o.userID(ctx, userName)
	if err != nil {
		return 0, err
	}
	patch := map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "value": map[string]any{"active": active}}},
	}
	begun := time.Now()
	if err := o.call(ctx, http.MethodPatch, "/Users/"+url.PathEscape(id), patch, nil); err != nil {
		return 0, err
	}
	err = until(ctx, "OpenFGA does not follow", func(ctx context.Context) (bool, error) {
		allowed, err := s.allows(ctx, userName, "can_sign_in")
		return allowed == active, err
	})
	return time.Since(begun), err
}

func (o *operator) userID(ctx context.Context, userName string) (string, error) {
	quoted, err := json.Marshal(userName) // as a filter wants it, too
	if err != nil {
		return "", err
	}
	var found struct {
		Resources []struct {
			ID string `json:"id"`
		}
	}
	filter := url.Values{"filter": {"userName eq " + string(quoted)}}
	if err := o.call(ctx, http.MethodGet, "/Users?"+filter.Encode(), nil, &found); err != nil {
		return "", err
	}
	if len(found.Resources) != 1 {
		return "", fmt.Errorf("the directory has %d users called %s", len(found.Resources), userName)
	}
	return found.Resources[0].ID, nil
}

// call speaks SCIM.
func (o *operator) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, o.scim+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+o.token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}
