{{- define "driftwise.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "driftwise.selector" -}}
app.kubernetes.io/name: driftwise-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "driftwise.labels" -}}
{{ include "driftwise.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "driftwise.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "driftwise.digestSecret" -}}
{{- if .Values.digestKey.existingSecret -}}
{{ .Values.digestKey.existingSecret }}
{{- else if .Values.digestKey.create -}}
{{ include "driftwise.name" . }}-digest-key
{{- end -}}
{{- end -}}
