package docs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("A command that there is not is found out",
	func(command, message string) {
		Expect(proveCommand(command)).To(MatchError(ContainSubstring(message)))
	},
	Entry("a target of make", "make nothing", "no target nothing"),
	Entry("a command of the plugin", "kubectl scim token burn okta", "no command burn"),
	Entry("a flag of the plugin", "kubectl scim token rotate okta --hours=3", "unknown flag: --hours"),
	Entry("a command of kubectl", "kubectl rollout forward deployment/x", "no command forward"),
	Entry("a flag of kubectl", "kubectl get pods --nicely", "unknown flag: --nicely"),
	Entry("a kind", "kubectl get scimdir,scimpeople -n acme", "knows no scimpeople"),
	Entry("a kind in an event's object", "kubectl events --for scimpeople/ada", "knows no scimpeople"),
	Entry("a value of the chart", "helm install x config/chart --set replicas=2,colour=red", "no value colour"),
	Entry("a flag of Helm", "helm upgrade x config/chart --gently", "unknown flag: --gently"),
	Entry("a file", "kubectl apply -f config/samples/nothing.yaml", "no config/samples/nothing.yaml"),
	Entry("a package", "go run ./hack/nothing", "no ./hack/nothing"),
	Entry("in a pipe, behind an assignment", `x="$(KUBECONFIG=y kubectl get nothings)"`, "knows no nothings"),
	Entry("a program that nobody proves", "frobnicate it", "nobody can tell"),
	Entry("what is no command", "kubectl get (", "encountered"),
)
