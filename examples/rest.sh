#!/bin/sh
# ConnectomeDB with curl alone: sign in, list subjects, search by behaviour, download one file.
# Needs XNAT_HOST, XNAT_USER and XNAT_PASS; the one argument is where the file goes. Demo values are synthetic.
set -eu

jar=$(mktemp)
trap 'rm -f "$jar"' EXIT
target=${1:-lf.txt}

# The password goes in by standard input, so that no list of processes shows it.
printf 'user = "%s:%s"\n' "$XNAT_USER" "$XNAT_PASS" |
  curl --silent --show-error --fail --config - --cookie-jar "$jar" --output /dev/null "$XNAT_HOST/data/JSESSION"

xnat() { curl --silent --show-error --fail --cookie "$jar" "$@"; }

echo "== Who am I"
xnat "$XNAT_HOST/data/auth"
echo

echo "== Subjects"
xnat "$XNAT_HOST/data/projects/HCP_Q1/subjects?format=csv&columns=label" | sed -n 1,4p

echo "== Search: MMSE_Score >= 29"
xnat --data-binary @- "$XNAT_HOST/data/search?format=csv" <<'XML' | sed -n 1,4p
<xdat:bundle xmlns:xdat="http://nrg.wustl.edu/security">
  <xdat:root_element_name>hcp:nontoolboxdata</xdat:root_element_name>
  <xdat:search_field><xdat:element_name>hcp:nontoolboxdata</xdat:element_name>
    <xdat:field_ID>SUBJECT_LABEL</xdat:field_ID><xdat:sequence>0</xdat:sequence></xdat:search_field>
  <xdat:search_field><xdat:element_name>hcp:nontoolboxdata</xdat:element_name>
    <xdat:field_ID>MMSE_Score</xdat:field_ID><xdat:sequence>1</xdat:sequence></xdat:search_field>
  <xdat:search_where method="AND">
    <xdat:criteria><xdat:schema_field>hcp:nontoolboxdata/MMSE_Score</xdat:schema_field>
      <xdat:comparison_type>&gt;=</xdat:comparison_type><xdat:value>29</xdat:value></xdat:criteria>
  </xdat:search_where>
</xdat:bundle>
XML

echo "== One file"
file=MNINonLinear/Results/tfMRI_MOTOR_LR/EVs/lf.txt
xnat --output "$target" \
  "$XNAT_HOST/data/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/$file"
cat "$target"
