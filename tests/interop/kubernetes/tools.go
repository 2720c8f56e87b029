// Package kubernetes names the programs that the test builds.
package kubernetes

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
)
