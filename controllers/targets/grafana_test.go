package targets_test

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/grafana"
)

// grafanaOf starts a double, and makes the Secret with its token.
func grafanaOf(w *world, settings grafana.Settings) *grafana.Double {
	GinkgoHelper()
	double, end := grafana.Start(settings)
	DeferCleanup(end)
	DeferCleanup(func() { Expect(double.Violations()).To(BeEmpty()) })
	w.secret("grafana", map[string]string{"token": grafana.Token})
	return double
}

// grafanaSpec has admins in the team Admins, and viewers in Viewers.
func grafanaSpec(double *grafana.Double) v1alpha1.AppTargetSpec {
	return v1alpha1.AppTargetSpec{Grafana: &v1alpha1.GrafanaTarget{
		URL: double.URL, Credentials: v1alpha1.TargetSecretReference{Name: "grafana"},
		Teams: []v1alpha1.GrafanaTeam{{Role: "admin", Team: "Admins"}, {Role: "viewer", Team: "Viewers"}},
	}}
}

// grafanaTeams has everybody of the namespace, and whom the common specs speak of, signed in.
func grafanaTeams(w *world) *fixture {
	GinkgoHelper()
	double := grafanaOf(w, grafana.Settings{})
	users := map[string]int64{}
	for _, name := range append([]string{"ada", "bob", "eve", "mallory"}, membersOf(w)...) {
		users[name] = double.AddUser(name, mail(name))
	}
	teams := map[string]string{"admin": "Admins", "viewer": "Viewers"}
	inWords := func(lines []string) []string {
		for i, line := range lines {
			lines[i] = strings.NewReplacer("@example.com", "", "Admins", "admin", "Viewers", "viewer").Replace(line)
		}
		return lines
	}
	uid := func(role string) string {
		for _, t := range double.Teams() {
			if t.Name == teams[role] {
				return t.UID
			}
		}
		return double.AddTeam(teams[role], false)
	}
	return &fixture{
		spec:   grafanaSpec(double),
		held:   func() []string { return inWords(double.Held()) },
		log:    func() []string { return inWords(double.Log()) },
		writes: double.Writes,
		grant:  func(name, role string) { double.Join(uid(role), users[name]) },
		revoke: func(name, role string) { double.Leave(uid(role), users[name]) },
		shared: true,
		fail:   func() { double.Fail(true) }, mend: func() { double.Fail(false) },
		failure: v1alpha1.ReasonTargetUnreachable,
	}
}

func membersOf(w *world) (names []string) {
	GinkgoHelper()
	var list v1alpha1.AppMembershipList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	for _, m := range list.Items {
		names = append(names, m.Name)
	}
	return names
}

var _ = Describe("A grafana target", func() {
	var w *world
	var double *grafana.Double
	begin := func(settings grafana.Settings) {
		GinkgoHelper()
		w = newWorld()
		w.roles("admin", "viewer")
		double = grafanaOf(w, settings)
	}
	holds := func(list ...string) {
		GinkgoHelper()
		Eventually(double.Held).Should(Equal(grants(list...)))
	}
	uidOf := func(name string) string {
		GinkgoHelper()
		teams := double.Teams()
		i := slices.IndexFunc(teams, func(t grafana.Team) bool { return t.Name == name })
		Expect(i).To(BeNumerically(">=", 0), "there is no team %s", name)
		return teams[i].UID
	}
	recorded := func() (all []v1alpha1.LedgerEntry) {
		GinkgoHelper()
		var list v1alpha1.AppTargetLedgerList
		Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
		for _, l := range list.Items {
			all = append(all, l.Spec.Entries...)
		}
		return all
	}

	It("waits for a person's first sign-in, and is ready meanwhile", func() {
		begin(grafana.Settings{})
		double.AddUser("bob", mail("bob"))
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(grafanaSpec(double))
		holds("bob@example.com Viewers")
		w.eventuallyReady("True InSync: every grant is as it should be; 1 person with a role is awaited " +
			"(Grafana has no user with their email until they first sign in)")
		Expect(w.status().Awaited).To(BeEquivalentTo(1))
		Expect(w.status().Plan).To(BeNil())
		Expect(double.Teams()).To(HaveLen(1), "nobody is to be in the team Admins yet")
		double.AddUser("ada", "Ada@Example.com")
		holds("Ada@Example.com Admins", "bob@example.com Viewers")
		Eventually(func() int32 { return w.status().Awaited }).Should(BeZero())
	})

	It("makes a team once, and never deletes it", func() {
		begin(grafana.Settings{})
		for _, name := range []string{"ada", "bob", "eve"} {
			double.AddUser(name, mail(name))
			w.member(name, "admin")
		}
		w.target(grafanaSpec(double))
		holds("ada@example.com Admins", "bob@example.com Admins", "eve@example.com Admins")
		Expect(double.Writes()).To(Equal(4))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "admin"))).To(Succeed())
		holds()
		Expect(double.Teams()).To(HaveLen(1))
	})

	It("takes the team of that very name", func() {
		begin(grafana.Settings{})
		lower := double.AddTeam("admins", false)
		double.AddTeam("Admins of old", false)
		double.Join(lower, double.AddUser("bob", mail("bob")))
		double.AddUser("ada", mail("ada"))
		w.member("ada", "admin")
		w.target(grafanaSpec(double))
		holds("ada@example.com Admins", "bob@example.com admins")
		w.eventuallyReady("True InSync")
	})

	It("says how Grafana writes a team whose name it takes for the same", func() {
		begin(grafana.Settings{FoldTeamNames: true})
		double.AddTeam("admins", false)
		for _, name := range []string{"ada", "bob", "eve"} {
			double.AddUser(name, mail(name))
		}
		w.member("ada", "admin")
		w.member("bob", "admin")
		w.member("eve", "viewer")
		w.target(grafanaSpec(double))
		w.eventuallyReady(`False TargetRefused: Grafana has a team whose name differs from "Admins" in case only: write it as Grafana does`)
		holds("eve@example.com Viewers")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Grafana.Teams[0].Team = "admins" })
		holds("ada@example.com admins", "bob@example.com admins", "eve@example.com Viewers")
	})

	It("reads lists of many pages, of users and of teams", func() {
		begin(grafana.Settings{MaxPerPage: 10})
		for i := range 57 {
			double.AddTeam(fmt.Sprintf("team %02d", i), false)
			double.AddUser(fmt.Sprintf("u%02d", i), fmt.Sprintf("u%02d@example.com", i))
		}
		double.HideUser(3) // pages may have fewer than they could
		double.AddTeam("Admins", false)
		double.AddUser("ada", mail("ada"))
		w.member("ada", "admin")
		w.target(grafanaSpec(double))
		holds("ada@example.com Admins")
		Expect(double.Writes()).To(Equal(1))
	})

	It("works where Grafana tells the UIDs of teams alone", func() {
		begin(grafana.Settings{UIDsOnly: true})
		double.AddTeam("Admins", false)
		double.AddUser("ada", mail("ada"))
		double.AddUser("bob", mail("bob"))
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(grafanaSpec(double))
		holds("ada@example.com Admins", "bob@example.com Viewers")
		w.setActive("ada", false)
		holds("bob@example.com Viewers")
	})

	DescribeTable("says which permission the service account lacks", func(permission string, before bool) {
		begin(grafana.Settings{})
		double.AddUser("ada", mail("ada"))
		w.member("ada", "admin")
		if !before {
			double.AddTeam("Admins", false)
		}
		double.Deny(permission)
		w.target(grafanaSpec(double))
		w.eventuallyReady("False TargetRefused")
		Expect(w.ready()).To(ContainSubstring("give it the permission " + permission))
		Expect(w.ready()).NotTo(ContainSubstring("ada"))
		Expect(double.Held()).To(BeEmpty())
		double.Allow(permission)
		holds("ada@example.com Admins")
		w.eventuallyReady("True InSync")
	},
		Entry("to list users", grafana.ReadUsers, false),
		Entry("to list teams", grafana.ReadTeams, false),
		Entry("to make teams", grafana.CreateTeams, true),
		Entry("to read members", grafana.ReadMembers, false),
		Entry("to change members", grafana.WriteMembers, false),
	)

	It("says that the token is not accepted, and takes the next one", func() {
		begin(grafana.Settings{})
		double.AddUser("ada", mail("ada"))
		w.member("ada", "admin")
		w.secret("old", map[string]string{"token": "glsa_revoked"})
		w.target(grafanaSpec(double), func(s *v1alpha1.AppTargetSpec) { s.Grafana.Credentials.Name = "old" })
		w.eventuallyReady("False TargetRefused: Grafana does not accept the token")
		Expect(w.ready()).To(And(ContainSubstring(`Secret "old"`), Not(ContainSubstring("glsa"))))
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Grafana.Credentials.Name = "grafana" })
		holds("ada@example.com Admins")
	})

	It("leaves a team alone whose members another system provisions", func() {
		begin(grafana.Settings{})
		double.Join(double.AddTeam("Admins", true), double.AddUser("ceo", mail("ceo")))
		double.AddUser("ada", mail("ada"))
		double.AddUser("bob", mail("bob"))
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(grafanaSpec(double))
		w.eventuallyReady(`False TargetRefused: the members of the team "Admins" are provisioned into Grafana by another system`)
		holds("bob@example.com Viewers", "ceo@example.com Admins")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(double.Held()).To(Equal([]string{"ceo@example.com Admins"}))
	})

	It("does not end while somebody is left in a team that is provisioned since", func() {
		begin(grafana.Settings{})
		double.AddUser("ada", mail("ada"))
		w.member("ada", "admin")
		w.target(grafanaSpec(double))
		holds("ada@example.com Admins")
		double.Provision(uidOf("Admins"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		w.eventuallyReady(`False TargetRefused: the target is being deleted: the members of the team "Admins" are provisioned`)
		Expect(double.Held()).To(Equal([]string{"ada@example.com Admins"}))
	})

	Describe("and who is who", func() {
		It("matches the attribute that it is to, and no other", func() {
			begin(grafana.Settings{})
			// One person's login is another's e-mail address.
			double.AddUser("ada@example.com", "mallory@elsewhere.example")
			double.AddUser("a.lovelace", "ada@example.com")
			w.member("ada", "admin")
			w.target(grafanaSpec(double))
			holds("ada@example.com Admins")
			w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Grafana.Subject = v1alpha1.GrafanaByUserName })
			holds("mallory@elsewhere.example Admins")
		})

		It("waits where two users have the same e-mail address, apart from case", func() {
			begin(grafana.Settings{})
			double.AddUser("ada", "ada@example.com")
			second := double.AddUser("ada2", "Ada@example.com")
			w.member("ada", "admin")
			w.target(grafanaSpec(double))
			w.eventuallyReady("True InSync")
			Eventually(w.ready).Should(ContainSubstring("more than one user of Grafana has their email, apart from case: delete all but one"))
			Expect(double.Held()).To(BeEmpty())
			double.RemoveUser(second)
			holds("ada@example.com Admins")
		})

		It("finds a leaver who is called otherwise by now", func() {
			begin(grafana.Settings{})
			ada := double.AddUser("ada", mail("ada"))
			w.member("ada", "admin")
			w.target(grafanaSpec(double))
			holds("ada@example.com Admins")
			w.eventuallyReady("True InSync")
			running.Kill()
			double.ChangeUser(ada, "countess", "countess@example.com")
			double.RenameTeam(uidOf("Admins"), "Chiefs")
			w.setActive("ada", false)
			running.Start()
			holds()
			Eventually(recorded).Should(BeEmpty())
		})

		It("finds a leaver whom Grafana shows no more", func() {
			begin(grafana.Settings{})
			ada := double.AddUser("ada", mail("ada"))
			w.member("ada", "admin")
			w.target(grafanaSpec(double))
			holds("ada@example.com Admins")
			w.eventuallyReady("True InSync")
			running.Kill()
			double.HideUser(ada)
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
			running.Start()
			holds()
			Eventually(w.ready).Should(Equal("gone"))
		})

		It("forgets a user and a team that are deleted in Grafana", func() {
			begin(grafana.Settings{})
			ada := double.AddUser("ada", mail("ada"))
			double.AddUser("bob", mail("bob"))
			w.member("ada", "admin")
			w.member("bob", "viewer")
			w.target(grafanaSpec(double))
			holds("ada@example.com Admins", "bob@example.com Viewers")
			double.RemoveUser(ada)
			double.RemoveTeam(uidOf("Viewers"))
			holds("bob@example.com Viewers")
			Eventually(func() int { return len(recorded()) }).Should(Equal(1))
			w.eventuallyReady("True InSync: every grant is as it should be; 1 person with a role is awaited")
			Eventually(func() []string { return recorded()[0].Grants }).Should(Equal([]string{"1/" + uidOf("Viewers")}))
		})

		It("takes nothing for gone by the eyes of another organization", func() {
			begin(grafana.Settings{})
			double.AddUser("ada", mail("ada"))
			w.member("ada", "admin")
			w.target(grafanaSpec(double))
			holds("ada@example.com Admins")
			double.MoveTo(2)
			w.eventuallyReady("False TargetRefused: the token is of organization 2 of Grafana, but the target gave access in organization 1")
			w.setActive("ada", false)
			Consistently(recorded).Should(HaveLen(1))
			Expect(double.Log()).To(Equal([]string{"+ada@example.com Admins"}))
		})
	})
})
