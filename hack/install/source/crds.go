// Package source keeps the Gateway API among the module's requirements, for the CRDs that come with it.
package source

import _ "sigs.k8s.io/gateway-api/apis/v1"
