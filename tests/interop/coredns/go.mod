// Go takes this file for the root of the module; each CoreDNS has a go-VERSION.mod of its own (go build -modfile).
module meshdns.io/tests/interop/coredns

go 1.25.0
