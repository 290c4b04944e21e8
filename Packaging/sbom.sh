#!/bin/sh
# sbom.sh BUNDLE VERSION LZ4_VERSION XXHASH_VERSION SWIFT_VERSION EPOCH: prints what is in a bundle as SPDX 2.3 (JSON): four
# packages, and every file with its checksums. EPOCH: seconds of Unix time, the document's date.
set -eu
bundle=${1:?bundle} version=${2:?version} lz4=${3:?lz4} xxhash=${4:?xxhash} swift=${5:?swift} epoch=${6:?epoch}
cd "$bundle"
files=$(find . -type f ! -name '*.spdx.json' ! -name SHA256SUMS | LC_ALL=C sort)
# The verification code of the specification (7.9): SHA-1 of the sorted SHA-1s, one behind the other.
# shellcheck disable=SC2086
code=$(sha1sum $files | cut -d ' ' -f 1 | LC_ALL=C sort | tr -d '\n' | sha1sum | cut -d ' ' -f 1)
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
built='MIT AND BSD-2-Clause AND Apache-2.0 WITH Swift-exception'

package() { # ID NAME VERSION LICENCE COPYRIGHT SUPPLIER COMMENT
    cat <<J
    { "SPDXID": "SPDXRef-$1", "name": "$2", "versionInfo": "$3", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
      "licenseConcluded": "$4", "licenseDeclared": "$4", "copyrightText": "$5", "supplier": "$6", "comment": "$7" },
J
}
cat <<J
{ "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "ticklog-$version",
  "documentNamespace": "urn:ticklog:$version:$code",
  "creationInfo": { "created": "$created", "creators": [ "Tool: ticklog-sbom-$version", "Organization: The TickLog authors" ] },
  "packages": [
$(package lz4 lz4 "$lz4" BSD-2-Clause 'Copyright (C) 2011-2020, Yann Collet' 'Person: Yann Collet' 'In every libticklog.a: lz4.c, and for Linux lz4hc.c.')
$(package xxHash xxHash "$xxhash" BSD-2-Clause 'Copyright (C) 2012-2020 Yann Collet' 'Person: Yann Collet' 'Its header is compiled into every library.')
$(package Swift 'Swift embedded standard library' "$swift" 'Apache-2.0 WITH Swift-exception' 'Copyright (c) Apple Inc. and the Swift project authors' 'Organization: Swift project' 'Code of it is compiled into every library; its Unicode tables are in those for Linux.')
    { "SPDXID": "SPDXRef-ticklog", "name": "ticklog", "versionInfo": "$version", "downloadLocation": "NOASSERTION",
      "filesAnalyzed": true, "packageVerificationCode": { "packageVerificationCodeValue": "$code",
        "packageVerificationCodeExcludedFiles": [ "./ticklog-$version.spdx.json", "./SHA256SUMS" ] },
      "licenseConcluded": "$built", "licenseDeclared": "MIT", "licenseInfoFromFiles": [ "NOASSERTION" ],
      "copyrightText": "Copyright (c) 2026 The TickLog authors", "supplier": "Organization: The TickLog authors" }
  ],
  "files": [
J
separator=' ' number=0 relations=
for file in $files; do
    number=$((number + 1))
    type=TEXT licence=MIT
    case $file in
    ./lib/* | ./bin/*) type=BINARY licence=$built ;;
    ./LICENSES/lz4* | ./LICENSES/xxHash*) licence=BSD-2-Clause ;;
    ./LICENSES/Swift*) licence='Apache-2.0 WITH Swift-exception' ;;
    *.c | *.h | *.sh | *.ld) type=SOURCE ;;
    esac
    cat <<J
   $separator{ "SPDXID": "SPDXRef-file-$number", "fileName": "$file", "fileTypes": [ "$type" ],
      "checksums": [ { "algorithm": "SHA1", "checksumValue": "$(sha1sum "$file" | cut -d ' ' -f 1)" },
        { "algorithm": "SHA256", "checksumValue": "$(sha256sum "$file" | cut -d ' ' -f 1)" } ],
      "licenseConcluded": "$licence", "licenseInfoInFiles": [ "NOASSERTION" ], "copyrightText": "NOASSERTION" }
J
    separator=,
    relations="$relations,
    { \"spdxElementId\": \"SPDXRef-ticklog\", \"relationshipType\": \"CONTAINS\", \"relatedSpdxElement\": \"SPDXRef-file-$number\" }"
done
cat <<J
  ],
  "relationships": [
    { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-ticklog" },
    { "spdxElementId": "SPDXRef-ticklog", "relationshipType": "STATIC_LINK", "relatedSpdxElement": "SPDXRef-lz4" },
    { "spdxElementId": "SPDXRef-ticklog", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-xxHash" },
    { "spdxElementId": "SPDXRef-ticklog", "relationshipType": "STATIC_LINK", "relatedSpdxElement": "SPDXRef-Swift" }$relations
  ] }
J
