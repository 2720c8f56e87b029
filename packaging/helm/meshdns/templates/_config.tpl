{{/* The configurations of the three programs. Their braces are YAML of one line, as in the overlays of kustomize. */}}
{{- define "meshdns.agent" -}}
cluster: {{ .Values.cluster }}                             # the node's name is the Node's
federation:
  servers: ["meshdnsd.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:7400"]
  join: {kubernetes: {}}                  # a certificate by the token of the pod's service account
discovery:
  static: {directory: /endpoints.d}       # empty, unless the component node-files is used
  kubernetes: {cgroup_root: /host/cgroup}
admin: {listen: "127.0.0.1:7402", socket: /run/meshdns/agent.sock}
{{- end }}
{{- define "meshdns.federation" -}}
cluster: {{ .Values.cluster }}
zones: [{{ range $i, $zone := .Values.zones }}{{ if $i }}, {{ end }}{name: {{ $zone }}}{{ end }}]
data_dir: /var/lib/meshdns
dns:
  listen: [{address: "127.0.0.1:1053"}]   # clients ask the replicas: dns.yaml
federation:
  listen: "0.0.0.0:7400"
  addresses: [meshdnsd.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}{{ range .Values.federation.addresses }}, {{ . | quote }}{{ end }}]
  authority_secret: {namespace: {{ .Release.Namespace }}, name: meshdns-authority, config_map: meshdns-authority}
  store: {kubernetes: {}}
  lease: {kubernetes: {namespace: {{ .Release.Namespace }}, name: meshdnsd}}
  kubernetes: [{cluster: {{ .Values.cluster }}}]
identity:                                 # the service accounts whose pods get certificates
  kubernetes: {agents: [{{ .Release.Namespace }}/meshdns-agent], dns: [{{ .Release.Namespace }}/meshdns-dns]}
admin: {listen: "0.0.0.0:7401", socket: /run/meshdns/meshdnsd.sock}   # others read metrics and health there
{{- end }}
{{- define "meshdns.dns" -}}
cluster: {{ .Values.cluster }}
roles: [dns]
zones: [{{ range $i, $zone := .Values.zones }}{{ if $i }}, {{ end }}{name: {{ $zone }}}{{ end }}]
data_dir: /var/lib/meshdns
dns:
  listen: [{address: "0.0.0.0:1053"}]     # the Service's port is 53: no privilege is needed
  explain_allow: {{ toJson .Values.dns.explainAllow }}             # who may ask _explain
  trusted_forwarders:                     # the network of the pods, because CoreDNS's addresses change
    {{- range .Values.dns.trustedForwarders }}
    - {prefix: {{ . }}, granularity: cluster}
    {{- end }}
replica:
  federation: ["meshdnsd.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:7400"]
  join: {kubernetes: {}}
admin: {listen: "0.0.0.0:7401", socket: /run/meshdns/meshdnsd.sock}   # others read metrics and health there
{{- end }}
