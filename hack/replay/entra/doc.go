// Package entra plays the provisioning service of Microsoft Entra ID against a
// running SCIM server: it sends the requests that Entra ID sends, with and
// without its compliance flag, and refuses every answer that it would refuse.
package entra
