#!/bin/sh
# Has DriftWise judge a Terraform plan, and stops the job when the risk reaches the gate.
# Needs nothing but a POSIX shell and curl.
set -eu
set +x # a trace would show the key
umask 077
LC_ALL=C
export LC_ALL

readonly OK=0 STOPPED=1 USAGE=2 SERVICE=3
readonly MOST_BYTES=33554432 MOST_TRIES=6 MOST_PAUSE_SECONDS=60

usage() {
  cat <<'END'
usage: driftwise-plan.sh [--fail-on LEVEL] [--out FOLDER] PLAN

  PLAN       what `terraform show -json PLANFILE` wrote; `-` reads it from standard input
  --fail-on  low, medium, high (default) or critical: the least risk that stops the job; `never` only reports
  --out      where analysis.json, .sarif, .md and .junit.xml are written (default: driftwise)

Environment:
  DRIFTWISE_URL               address of DriftWise, e.g. https://driftwise.example
  DRIFTWISE_ORG               id of the organisation
  DRIFTWISE_API_KEY           API key with the scope `write`; give it as a secret
  DRIFTWISE_TIMEOUT_SECONDS   for everything together (default: 600)
  DRIFTWISE_REPO_OWNER, _REPO_NAME, _REPO_URL, _PR_NUMBER, _BRANCH, _COMMIT_SHA, _ACTOR, _PROJECT, _DIRECTORY, _WORKSPACE
                              where the plan comes from, when it is not what the CI system says

Exit status: 0 the plan may go on, 1 its risk reaches the gate, 2 called or set up wrongly, 3 DriftWise is out of reach.
END
}

say() { printf 'driftwise: %s\n' "$*"; }

give_up() { # status, message
  status=$1
  shift
  say "$*" >&2
  exit "$status"
}

# Text of others for the job's log: one line, and nothing that a CI system takes for a command.
quiet() { tr -d '\000-\037\177' | sed 's/##/# #/g; s/::/: :/g' | cut -c 1-400; }

# ---- what the caller wants -------------------------------------------------------------------------------------------------

fail_on=high out=driftwise plan=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage && exit "$OK" ;;
    --fail-on | --out) [ $# -gt 1 ] || give_up "$USAGE" "$1 needs a value" ;;
  esac
  case $1 in
    --fail-on) fail_on=$2 && shift ;;
    --fail-on=*) fail_on=${1#*=} ;;
    --out) out=$2 && shift ;;
    --out=*) out=${1#*=} ;;
    --) ;;
    -?*) give_up "$USAGE" "unknown option: $(printf %s "$1" | quiet)" ;;
    *)
      [ -z "$plan" ] || give_up "$USAGE" "one plan at a time"
      plan=$1
      ;;
  esac
  shift
done
case $fail_on in
  low | medium | high | critical | never) ;;
  *) give_up "$USAGE" "--fail-on is one of low, medium, high, critical, never" ;;
esac
[ -n "$plan" ] || { usage >&2 && exit "$USAGE"; }
command -v curl >/dev/null || give_up "$USAGE" "curl is not installed"

url=${DRIFTWISE_URL:-} org=${DRIFTWISE_ORG:-} key=${DRIFTWISE_API_KEY:-}
unset DRIFTWISE_API_KEY # nothing that is started below needs it in its environment
url=${url%/}
case $url in
  https://?*) ;;
  http://localhost | http://localhost:* | http://127.0.0.1 | http://127.0.0.1:*) ;;
  '') give_up "$USAGE" "DRIFTWISE_URL is not set" ;;
  *) give_up "$USAGE" "DRIFTWISE_URL does not begin with https://: the key would be readable on its way" ;;
esac
case $url in *[!A-Za-z0-9.:/_~%-]* | *@*) give_up "$USAGE" "DRIFTWISE_URL is not a plain address" ;; esac
case $org in '' | *[!0-9A-Za-z-]*) give_up "$USAGE" "DRIFTWISE_ORG is not set, or not an id" ;; esac
case $key in '' | *[!0-9A-Za-z_-]*) give_up "$USAGE" "DRIFTWISE_API_KEY is not set, or not a key" ;; esac
timeout_seconds=${DRIFTWISE_TIMEOUT_SECONDS:-600} pause_seconds=${DRIFTWISE_PAUSE_SECONDS:-2}
case $timeout_seconds$pause_seconds in *[!0-9]*) give_up "$USAGE" "DRIFTWISE_TIMEOUT_SECONDS is not a whole number" ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ "$plan" = - ]; then
  cat >"$work/plan"
  plan=$work/plan
fi
[ -f "$plan" ] && [ -r "$plan" ] || give_up "$USAGE" "no such plan: $(printf %s "$plan" | quiet)"
[ -s "$plan" ] || give_up "$USAGE" "the plan is empty: did \`terraform show -json\` fail?"
[ "$(wc -c <"$plan")" -le "$MOST_BYTES" ] || give_up "$USAGE" "the plan is over 32 MiB"
mkdir -p "$out" || give_up "$USAGE" "the folder $(printf %s "$out" | quiet) cannot be made"
rm -f "$out/analysis.json" "$out/analysis.sarif" "$out/analysis.md" "$out/analysis.junit.xml" # of an earlier run

# ---- where the plan comes from ---------------------------------------------------------------------------------------------

owner='' name='' repo_url='' pull='' branch='' commit='' actor='' project='' directory='' workspace=${TF_WORKSPACE:-}
if [ -n "${GITHUB_ACTIONS:-}" ]; then
  owner=${GITHUB_REPOSITORY_OWNER:-} name=${GITHUB_REPOSITORY:-} commit=${GITHUB_SHA:-} actor=${GITHUB_ACTOR:-}
  name=${name#*/} repo_url=${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_REPOSITORY:-}
  branch=${GITHUB_HEAD_REF:-${GITHUB_REF_NAME:-}}
  case ${GITHUB_REF:-} in refs/pull/*) pull=${GITHUB_REF#refs/pull/} && pull=${pull%%/*} ;; esac
elif [ -n "${GITLAB_CI:-}" ]; then
  owner=${CI_PROJECT_NAMESPACE:-} name=${CI_PROJECT_NAME:-} repo_url=${CI_PROJECT_URL:-} pull=${CI_MERGE_REQUEST_IID:-}
  branch=${CI_MERGE_REQUEST_SOURCE_BRANCH_NAME:-${CI_COMMIT_REF_NAME:-}} commit=${CI_COMMIT_SHA:-} actor=${GITLAB_USER_LOGIN:-}
elif [ -n "${TF_BUILD:-}" ]; then # Azure Pipelines
  name=${BUILD_REPOSITORY_NAME:-} repo_url=${BUILD_REPOSITORY_URI:-} commit=${BUILD_SOURCEVERSION:-}
  pull=${SYSTEM_PULLREQUEST_PULLREQUESTNUMBER:-${SYSTEM_PULLREQUEST_PULLREQUESTID:-}} actor=${BUILD_REQUESTEDFOR:-}
  branch=${SYSTEM_PULLREQUEST_SOURCEBRANCH:-${BUILD_SOURCEBRANCH:-}} && branch=${branch#refs/heads/}
  case $name in */*) owner=${name%/*} && name=${name##*/} ;; *) owner=${SYSTEM_TEAMPROJECT:-} ;; esac
elif [ -n "${ATLANTIS_TERRAFORM_VERSION:-}" ]; then
  owner=${BASE_REPO_OWNER:-} name=${BASE_REPO_NAME:-} pull=${PULL_NUM:-} branch=${HEAD_BRANCH_NAME:-} commit=${HEAD_COMMIT:-}
  actor=${PULL_AUTHOR:-${USER_NAME:-}} repo_url=${PULL_URL:-}
  project=${PROJECT_NAME:-} directory=${REPO_REL_DIR:-} workspace=${WORKSPACE:-}
  repo_url=${repo_url%/pull/*} repo_url=${repo_url%/-/merge_requests/*} repo_url=${repo_url%/pull-requests/*}
elif [ -n "${JENKINS_URL:-}" ]; then
  repo_url=${GIT_URL:-} pull=${CHANGE_ID:-} branch=${CHANGE_BRANCH:-${BRANCH_NAME:-${GIT_BRANCH:-}}} commit=${GIT_COMMIT:-}
  actor=${CHANGE_AUTHOR:-} branch=${branch#origin/}
  name=${repo_url%.git} owner=${name%/*} name=${name##*/} owner=${owner##*[/:]}
fi
owner=${DRIFTWISE_REPO_OWNER:-$owner} name=${DRIFTWISE_REPO_NAME:-$name} repo_url=${DRIFTWISE_REPO_URL:-$repo_url}
pull=${DRIFTWISE_PR_NUMBER:-$pull} branch=${DRIFTWISE_BRANCH:-$branch} commit=${DRIFTWISE_COMMIT_SHA:-$commit}
actor=${DRIFTWISE_ACTOR:-$actor} project=${DRIFTWISE_PROJECT:-$project} directory=${DRIFTWISE_DIRECTORY:-$directory}
workspace=${DRIFTWISE_WORKSPACE:-$workspace}
case $repo_url in # an address for a clone may carry a password
  https://*@* | http://*@*) repo_url=${repo_url%%://*}://${repo_url#*@} ;;
esac
case $pull in *[!0-9]* | 0*) pull='' ;; esac
case $commit in *[!0-9a-fA-F]*) commit='' ;; esac

query=''
add() { # name, value, most characters: what is unknown or too long is left out
  [ -n "$2" ] && [ "${#2}" -le "$3" ] || return 0
  query="$query&$1=$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g')"
}
[ "$fail_on" = never ] || query="&fail_on=$fail_on"
add repo_owner "$owner" 100
add repo_name "$name" 150
add repo_url "$repo_url" 500
add pr_number "$pull" 9
add branch "$branch" 300
add commit_sha "$commit" 64
add actor "$actor" 200
add project "$project" 200
add directory "$directory" 300
add workspace "$workspace" 200

# ---- the calls -------------------------------------------------------------------------------------------------------------

ends_at=$(($(date +%s) + timeout_seconds))
repeat_key=$(od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n') # a call that is sent again is carried out once

call() { # path and query, file for the answer, more of curl's options; sets http_status, 000 when there was no answer
  path=$1 answer=$2
  shift 2
  left_seconds=$((ends_at - $(date +%s)))
  [ "$left_seconds" -gt 0 ] || give_up "$SERVICE" "no answer within $timeout_seconds seconds"
  [ "$left_seconds" -lt 180 ] || left_seconds=180
  : >"$work/head"
  # The key goes in by standard input: arguments are for every process of the machine to read.
  http_status=$(
    printf 'header = "x-api-key: %s"\n' "$key" |
      curl --disable --config - --silent --show-error --proto '=https,http' --connect-timeout 15 --max-time "$left_seconds" \
        --dump-header "$work/head" --output "$answer" --write-out '%{http_code}' "$@" "$url/api/v2/orgs/$org/$path" \
        2>"$work/trouble"
  ) || http_status=000
}

wanted_pause() { # what Retry-After asks for, 0 without
  wanted=$(tr -d '\r' <"$work/head" | tr '[:upper:]' '[:lower:]' |
    sed -n 's/^retry-after:[[:space:]]*\([0-9]\{1,6\}\)[[:space:]]*$/\1/p' | tail -n 1)
  printf %s "${wanted:-0}"
}

send() { # as call; tries again what may pass
  tries=1 pause=$pause_seconds
  while :; do
    call "$@"
    case $http_status in
      000 | 429 | 502 | 503 | 504) ;;
      *) return 0 ;;
    esac
    trouble="status $http_status"
    [ "$http_status" != 000 ] || trouble=$(head -n 1 "$work/trouble" | quiet)
    [ "$tries" -lt "$MOST_TRIES" ] || give_up "$SERVICE" "no answer after $tries tries: $trouble"
    wait_seconds=$(wanted_pause)
    [ "$wait_seconds" -ge "$pause" ] || wait_seconds=$pause
    [ $(($(date +%s) + wait_seconds)) -lt "$ends_at" ] ||
      give_up "$SERVICE" "$trouble, and $wait_seconds seconds to wait are more than there is time for"
    say "$trouble; once more in $wait_seconds s" >&2
    sleep "$wait_seconds"
    tries=$((tries + 1)) pause=$((pause * 2))
    [ "$pause" -le "$MOST_PAUSE_SECONDS" ] || pause=$MOST_PAUSE_SECONDS
  done
}

member() { # file, name: the first member of this name whose value is a short text
  # shellcheck disable=SC2020 # two characters are meant
  tr ',{' '\n\n' <"$1" | sed -n "s/^[[:space:]]*\"$2\"[[:space:]]*:[[:space:]]*\"\([0-9a-z_-]*\)\".*\$/\1/p" | head -n 1
}

sentence() { # file, name: the same for text of any kind
  tr -d '\r\n' <"$1" | sed -E -n "s/.*\"$2\" *: *\"(([^\"\\]|\\\\.)*)\".*/\\1/p" | sed 's/\\\(["\\]\)/\1/g' | quiet
}

refused() { # file of a problem
  code=$(member "$1" code)
  detail=$(sentence "$1" detail)
  [ -n "$detail" ] || detail=$(sentence "$1" title)
  case $http_status in
    5*) give_up "$SERVICE" "status $http_status ${code:+($code) }$detail" ;;
    *) give_up "$USAGE" "refused with status $http_status ${code:+($code) }$detail" ;;
  esac
}

send "analyze?${query#&}" "$work/answer" --request POST --data-binary "@$plan" \
  --header 'Content-Type: application/json' --header "Idempotency-Key: $repeat_key" --header 'Expect:'
verdict=$OK
case $http_status in
  2??) id=$(member "$work/answer" id) ;;
  409)
    [ "$(member "$work/answer" code)" = risk_gate ] || refused "$work/answer"
    id=$(member "$work/answer" analysis_id) verdict=$STOPPED
    ;;
  *) refused "$work/answer" ;;
esac
[ "${#id}" -eq 36 ] || give_up "$SERVICE" "the answer is not one of DriftWise's: is DRIFTWISE_URL right?"

for form in json sarif markdown junit; do
  case $form in
    json) file=analysis.json ;;
    sarif) file=analysis.sarif ;;
    markdown) file=analysis.md ;;
    junit) file=analysis.junit.xml ;;
  esac
  send "analyses/$id?format=$form" "$work/answer" --request GET
  case $http_status in 2??) ;; *) refused "$work/answer" ;; esac
  cat "$work/answer" >"$out/$file"
done

say "$(sed -n 3p "$out/analysis.md" | quiet) ($(sed -n 5p "$out/analysis.md" | quiet))"
if [ "$verdict" -eq "$STOPPED" ]; then
  say "stopped, as the gate is at $fail_on:"
  sed -n 's/^.*<failure message="\([^"]*\)".*$/\1/p' "$out/analysis.junit.xml" | head -n 20 |
    sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g' | while IFS= read -r line; do
    printf '  - %s\n' "$(printf %s "$line" | quiet)"
  done
fi
exit "$verdict"
