// Writes what Go's regexp and Masterminds/semver answer, for golden.test.ts to compare with, and what
// Flux chooses, for test/convert/flux_selection.test.ts.
//
//	cd test/tags/golden && go run . >answers.jsonl && go run . flux >flux.jsonl
package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var ranges = []string{
	"", " ", "*", "x", "X", "*-0", "x-0", "1", "v1", "V1", "1.2", "v1.2", "1.2.3", "v1.2.3", "1.2.3.4", "1.x", "1.X.5", "1.*",
	"1.2.x", "1.2.*", "1.x-0", "1.x.x-0", "1.x.3-0", "1.2.3-0", "1.2.3-rc.1", "1.2.3-01", "01.2.3", "1.02", "=1.2.3", "= 1.2.3",
	"=1.2", "=1", "=*", "==1", "!=1.2.3", "!=1.2", "!=1.2.x", "!=1", "!=1.x", "!=*", "!=x-0", "!=1.2.x-rc.1", "!=1.x-0",
	"!=1.2.3-rc.1", "! =1", ">1.2.3", ">1.2", ">1", ">*", ">1.x", ">1.2.x", ">1.2.3-rc.1", ">1.2-0", ">1-0", "<1.2.3",
	"<1.2", "<1", "<*", "<1.x", "<1.2.x", "<2.0.0-0", "<2.0.0-rc.1", ">=1.2.3", ">=1.2", ">=1", ">=*", ">=1.x", ">=1.0.0-0",
	">=1.0.0-rc.2", "=>1.2.3", "=>1", "= >1", "<=1.2.3", "<=1.2", "<=1", "<=*", "<=x-0", "<=1.x", "<=1.2.x", "<=1.2-0", "<=1-0", "=<1.2.3",
	"=<1", "~1", "~1.2", "~1.2.3", "~1.2.3-rc.1", "~1.x", "~1.2.x", "~*", "~0", "~0.0", "~0.0.0", "~0.0.0-0", "~0.0.x", "~1-0",
	"~>1.2", "~> 1.2.3", "~>1", "~ >1", "^1", "^1.2", "^1.2.3", "^1.2.3-rc.1", "^1.x", "^1.x-0", "^1-0", "^0", "^0.0", "^0.0.0",
	"^0.0.1", "^0.2", "^0.2.3", "^0.2.3-0", "^0.x", "^0.0.x", "^*", "^*-0", "^ 1.2", "1.2 - 1.4.5", "1.2.3 - 2", "1 - 2", "v1 - v2",
	"1.2.3-rc.1 - 2.0.0", "1.2 -1.4", "1.2- 1.4", "1.2-1.4", "1.2 - 1.4 || 2.0 - 2.1", "1 - 1 2.0.0", "1 - 2 - 3", "1.2 - *",
	">= 1.2 - 1.4", "1 - 2, !=1.5.0", "<1.3 1.2 - 2", ">=1.2.3 <2.0.0", ">=1.2.3, <2.0.0", ">=1.2.3,<2.0.0", ">=1.2.3<2.0.0",
	">=1.2.3 , <2.0.0", " >= 1.2.3  <  2.0.0 ", ",>=1", ">=1,", ">=1,,<2", ">=1 || <0.1", ">=1||<0.1", "1||", "||1", "|| ", "1 | 2",
	"1|2", "1 ||| 2", "1 || 2 || 3.0.0-0", ">=1.0.0-0 <2.0.0 || >=3", ">=1.0.0 <2.0.0-0", ">=1.2.3-0 !=1.3.0-rc.1", ">0,<2.0", "1x", "x1", "1.x1", "xx",
	"1.xx", "**", "-1", "1.-1", "a", "1.a", "1.0.0p", "*-*", "1.2.3-", "1.2.3+", "1.2.3+build", "1.2.3-rc+b.1", ">=1.2.3+a <2+b", "1..2", ".1",
	"1.2.", "1.2 .3", "1. 2", "\t1.2\n", "\v1", "\u00a01", "1\u00a02", "1.2.3;2", "18446744073709551615", "18446744073709551616", "<18446744073709551615.0.0",
	">=9007199254740993.0.0", "9007199254740993", "><1", "<>1", ">>1", ">=", "~", "1 2", "1  2  3", "1.2.3 - 1.2.3",
	strings.Repeat("1 ", 256), strings.Repeat("1 ", 255) + "1  ", strings.Repeat("1||", 31) + "1", strings.Repeat("1||", 32) + "1",
	"1.2.3-a.b-c.0", "1.2.3-a..b", "1.2.3-a.", "1.2.3-é", ">=é", "1.2.3-rc.18446744073709551615", "> 1.2 <=1.4", "!=1.3.0 ^1", "^1 ^2", "^1||^2",
}

var versions = []string{
	"", "1", "1.2", "v1", "0.0.0", "0.0.0-0", "0.0.1", "0.0.1-rc.1", "0.0.2", "0.1.0", "0.1.0-a", "0.2.0", "0.2.3", "0.2.3-0", "0.2.4", "0.3.0",
	"1.0.0", "1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.1", "1.1.9", "1.2.0", "1.2.0-0", "1.2.0-rc.1", "1.2.2",
	"1.2.3", "v1.2.3", "V1.2.3", "vv1.2.3", "1.2.3-0", "1.2.3-rc.1", "1.2.3-rc.2", "1.2.3-rc.1+b", "1.2.3+build.5", "1.2.4", "1.2.4-beta", "1.2.10", "1.2.3-a.b-c.0",
	"1.3.0", "1.3.0-rc.1", "1.4.0", "1.4.5", "1.4.6", "1.5.0", "1.10.0", "1.99.99", "1.99.99-x", "2.0.0", "2.0.0-0", "2.0.0-rc.1", "2.0.0-rc.2", "2.0.1",
	"2.1.0", "2.1.7", "2.2.0", "3.0.0", "3.0.0-0", "3.0.0-rc.1", "3.1.0-rc.1", "10.0.0", "1.2.3.4", "1.2.3_4", "1.2.3p", "1.2.x", "1.2.3-", "1.2.3+", "1.2.3-a..b",
	"1.2.3-01", "1.2.3-a.00", "1.2.3-0a", "1.2.3--", "1.2.3- ", " 1.2.3", "1.2.3\n", "-1.2.3", "1.2.-3", "1..3", ".2.3", "1.2.", "latest", "main",
	"9007199254740993.0.0", "9007199254740992.0.0", "18446744073709551615.0.0", "18446744073709551616.0.0", "1.2.18446744073709551615", "1.2.3-rc.18446744073709551615",
	"1.2.99999999999999999999", "1.9007199254740993.0", "1.9007199254740992.0",
}

var patterns = []struct{ Pattern, Template string }{
	{``, `$0`}, {`^$`, `x`}, {`.*`, `$0`}, {`^v(?P<version>[0-9.]+)(-build\.(?P<build>[0-9]+))?$`, `$version`},
	{`^v(?P<version>[0-9.]+)(-build\.(?P<build>[0-9]+))?$`, `${version}b$build`}, {`^v(?P<version>[0-9.]+)(-build\.(?P<build>[0-9]+))?$`, `$versionb$build`},
	{`^main-[a-fA-F0-9]+-(?P<ts>.*)`, `$ts`}, {`.*-rc.*`, `$0`}, {`^RELEASE\.(?P<timestamp>.*)Z$`, `$timestamp`}, {`(\d+)\.(\d+)\.(\d+)`, `$1x`},
	{`(\d+)\.(\d+)\.(\d+)`, `${1}x$2$3`}, {`(\d+)\.(\d+)\.(\d+)`, `$1.$2-$3`}, {`(\d+)\.(\d+)\.(\d+)`, `$$1 $ ${ $} ${} ${1 $4 $01 $é ${nope} $-`},
	{`(?P<a>\d+)(?P<1x>\.)?`, `$1x|$a|${1x}`}, {`v?(\d+)(?:\.(\d+))?(?:\.(\d+))?`, `[$1][$2][$3]`}, {`(a|ab)(c|bcd)(d*)`, `$1,$2,$3`},
	{`(a*)(a|b)`, `$1,$2`}, {`(?:(a)|(b))*`, `$1,$2`}, {`(a?)*`, `<$1>`}, {`(a*)?`, `<$1>`}, {`(a*)+`, `<$1>`}, {`(|a)+`, `<$1>`}, {`(a|)(b)?`, `$1,$2`}, {`a{2}(a{0,2})(a?)`, `$1,$2`},
	{`a{,2}`, `$0`}, {`x{0}b`, `$0`}, {`[^a]`, `$0`}, {`[]a]+`, `$0`}, {`[a-]+`, `$0`}, {`[a\-z]+`, `$0`}, {`[\w.-]+$`, `$0`}, {`\W`, `$0`}, {`[^\d]+`, `$0`}, {`[\D]+`, `$0`}, {`\s`, `[$0]`},
	{`^a|b$`, `$0`}, {`^(a|b)$`, `$1`}, {`(^a|b$)`, `$1`}, {`a$b`, `$0`}, {`(?i)RC`, `$0`}, {`(?i:rc)\.(\d+)`, `$1`}, {`(?s).+`, `$0`}, {`.+`, `$0`}, {`(?m)^b$`, `$0`}, {`\Ab\z`, `$0`}, {`a+?`, `$0`}, {`a*?(b)`, `$1`},
	{`(?U)a+`, `$0`}, {`\x61`, `$0`}, {`\pL+`, `$0`}, {`[[:alpha:]]+`, `$0`}, {`\Qa.b\E`, `$0`}, {`\bmain\b`, `$0`}, {`(?<n>\d+)$`, `$n`}, {`^(?P<v>.+)-alpine(?P<o>\d*)`, `$v/$o`}, {`([0-9]+\.)*([a-z])`, `$1$2`},
	{`(-rc\.[0-9]+)?(-build\.[0-9]+)?$`, `$1|$2`}, {`^(.*?)-(.*)$`, `$2`}, {`^([a-z]+-)?(\d+)$`, `$2`}, {`^(?:v|release-)?(\d.*)$`, `$1`}, {`é`, `$0`}, {`.`, `$0`}, {`^.{3}$`, `$0`}, {`^[^.]{1,3}`, `$0`}, {`_$`, `$0`},
	{`^v(?P<v>\d+)$|^r(?P<v>\d+)$`, `$v`}, {`(?P<n>a)(?P<n>b)`, `$n`}, {`(?P<n>a)?(?P<n>b)`, `<$n>`}, {`[(?P<n>](?P<n>a)|\((?P<n>b)|\Q(?P<n>\E(?P<n>.)`, `$n$1$2$3`}, {`[]](?P<n>a)|[^](](?P<n>b)`, `$n`},
	// wrong
	{`(`, ``}, {`)`, ``}, {`[a`, ``}, {`a**`, ``}, {`a{1001}`, ``}, {`(a{500}){3}`, ``}, {`a{2,1}`, ``}, {`(a)\1`, ``}, {`(?=a)`, ``}, {`(?!a)`, ``}, {`(?<=a)b`, ``}, {`(?<!a)b`, ``}, {`(?P<n-1>a)`, ``}, {`(?P<>a)`, ``}, {`\8`, ``}, {`\cA`, ``}, {`\u0041`, ``}, {`(?x)a`, ``}, {`(?>a)`, ``}, {`a++`, ``}, {`*a`, ``}, {`a|*`, ``}, {`[b-a]`, ``}, {`\`, ``}, {`(?#c)`, ``}, {`\p{Nope}`, ``}, {`[[:nope:]]`, ``},
}

var texts = []string{
	"", "a", "b", "aa", "aab", "ab", "aba", "abcd", "aaaa", "a-z", "a]a", "-a", "a.b", "axb", "v1.2.3", "1.2.3", "v1.2.3-build.7", "v1.2.3-build.", "v1.2", "1", "10.20.30x", "x1.2.3.4",
	"1.2.3-rc.1", "1.2.3-RC.2", "1.2.3-rc.1-build.5", "main", "main-0123abc-1700000000", "main-XYZ-1", "domain-1", "RELEASE.2024-01-02T03-04-05Z", "RELEASE.Z", "1.2.3-alpine", "1.2.3-alpine3.19", "3.19-alpine-alpine2",
	"latest", "release-1.0", "feature-42", "42", "a\nb", "b\n", "\nb", " ", "\t", "\v", "\u0000", "é", "aé", "日本語", "😀", "a😀b", "_", "a_", "2.10.", "1.2.z", strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("1.", 70),
	"__proto__", "constructor", "x{0}b", "a{,2}", "$1",
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "flux" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.Encode(lists)
		for _, line := range selections() {
			encoder.Encode(line)
		}
		return
	}
	type ranged struct {
		Range  string `json:"range"`
		Admits []int  `json:"admits"`
	}
	type matched struct {
		Pattern  string    `json:"pattern"`
		Template string    `json:"template"`
		Extracts []*string `json:"extracts"`
	}
	var parsed []int
	for i, text := range versions {
		// Flux asks for three parts and then reads them loosely.
		if _, err := semver.NewVersion(text); err == nil && len(strings.SplitN(text, ".", 3)) == 3 {
			parsed = append(parsed, i)
		}
	}
	var byRange []ranged
	for _, text := range ranges {
		constraint, err := semver.NewConstraint(text)
		if err != nil {
			byRange = append(byRange, ranged{text, nil})
			continue
		}
		admits := []int{}
		for _, i := range parsed {
			if version, err := semver.NewVersion(versions[i]); err == nil && constraint.Check(version) {
				admits = append(admits, i)
			}
		}
		byRange = append(byRange, ranged{text, admits})
	}
	var byPattern []matched
	for _, it := range patterns {
		pattern, err := regexp.Compile(it.Pattern)
		if err != nil {
			byPattern = append(byPattern, matched{it.Pattern, it.Template, nil})
			continue
		}
		extracts := []*string{}
		for _, text := range texts {
			var extract *string
			if match := pattern.FindStringSubmatchIndex(text); match != nil {
				expanded := string(pattern.ExpandString(nil, it.Template, text, match))
				extract = &expanded
			}
			extracts = append(extracts, extract)
		}
		byPattern = append(byPattern, matched{it.Pattern, it.Template, extracts})
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.Encode(map[string]any{"versions": versions, "parsed": parsed, "texts": texts})
	for _, line := range byRange {
		encoder.Encode(line)
	}
	for _, line := range byPattern {
		encoder.Encode(line)
	}
}
