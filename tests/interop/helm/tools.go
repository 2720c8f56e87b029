//go:build tools

// Names the command that the tests build, so that its module stays in go.mod.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
