package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// selection is one policy of Flux with what its image-reflector-controller chooses from a list.
type selection struct {
	Policy  map[string]any    `json:"policy"`
	Filter  map[string]string `json:"filterTags,omitempty"`
	Exclude []string          `json:"exclusionList,omitempty"`
	List    string            `json:"list"`
	// empty: it chooses none
	Tag string `json:"tag"`
	// several candidates are the same version: which one is chosen is not sure
	Tie bool `json:"tie,omitempty"`
}

var lists = map[string][]string{
	"releases": {"v1.2.2", "v1.2.3", "1.2.4", "v1.4.0", "1.10.0", "v1.9.9", "2.0.0-rc.1", "2.0.0-rc.10", "2.0.0-rc.9", "1.11.0-beta", "v2.0.0", "v2.1.0-alpha.1", "0.9.0",
		"latest", "v1", "1.4", "v3", "main", "nightly", "1.2.3.4", "1.2.3p", "V9.9.9", "99.99", "vv4.0.0", "3.0.0-", "3.0.0-01"},
	"calver":   {"2025.02.03", "2025.2.14", "2025.12.1", "2024.12.31", "25.04.0", "2025.02.03-rc.1", "2026.1", "20260101"},
	"builds":   {"main-0123abc-1700000000", "main-fedcba9-1700000999", "main-0abcdef-999", "main-XYZ-1800000000", "feature-0123abc-1900000000", "domain-0123abc-2000000000", "main"},
	"minio":    {"RELEASE.2024-01-02T03-04-05Z", "RELEASE.2024-11-07T00-52-20Z", "RELEASE.2023-12-31T23-59-59Z", "RELEASE.2024-11-07T00-52-20Z.fips", "latest", "edge"},
	"suffixed": {"3.19.1-alpine3.19", "3.19.2-alpine3.18", "3.20.0-alpine3.20", "3.21.0-debian-12-r1", "3.20.0", "4.0.0", "3.19.10-alpine3.19", "3.20.1-rc.1-alpine3.20"},
	"numbers":  {"9", "10", "0100", "99.5", "-3", "1e2", "250"},
	"letters":  {"a", "b", "z", "A", "Z", "aa", "0", "9", "-", "_", "z9", "z10"},
	"mixed":    {"1", "2", "30", "latest"},
	"artifact": {"1.0.0", "1.0.1.sig", "v2.0.0.att", "sha256-9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c", "zzz.sbom"},
	"same":     {"1.4.2", "v1.4.2", "2026.1.2", "2026.01.2", "2026.01.02"},
	"extracts": {"1.4.2-a", "1.4.2-b", "1.4.2-c10", "1.3.0-z"},
}

var filters = map[string][]map[string]string{
	"releases": {nil, {"pattern": ""}, {"pattern": `^v`}, {"pattern": `^v(?P<version>.*)$`, "extract": "$version"}, {"pattern": `^[0-9]`}, {"pattern": `.*-rc.*`}, {"pattern": `^nothing$`}, {"pattern": `(`}},
	"calver":   {nil, {"pattern": `^[0-9]{4}\.`}, {"pattern": `^([0-9]{4})\.([0-9]+)\.([0-9]+)$`, "extract": "$2.$3.$1"}},
	"builds":   {nil, {"pattern": `^main-[a-fA-F0-9]+-(?P<ts>.*)`, "extract": "$ts"}, {"pattern": `main-[a-f0-9]+-(?P<ts>[0-9]+)`, "extract": "${ts}"}, {"pattern": `-([0-9]+)$`, "extract": "$1"}, {"pattern": `^main-`}},
	"minio":    {nil, {"pattern": `^RELEASE\.(?P<timestamp>.*)Z$`, "extract": "$timestamp"}, {"pattern": `^RELEASE\.`}},
	"suffixed": {nil, {"pattern": `^(?P<semver>[0-9]+\.[0-9]+\.[0-9]+)-alpine3\.(19|20)$`, "extract": "$semver"}, {"pattern": `alpine3\.19$`}, {"pattern": `^(.+)-alpine(.+)$`, "extract": "$1"}},
	"extracts": {{"pattern": `^([0-9.]+)-`, "extract": "$1"}},
}

var policies = []map[string]any{
	semverPolicy("*"), semverPolicy(">=1.2.3 <2.0.0"), semverPolicy("^1.2"), semverPolicy("~1.2.3"), semverPolicy(">=1.0.0-0"), semverPolicy(">=1.0.0-0 <2.0.0"),
	semverPolicy(">=1.0.0-0 <2.0.0-0"), semverPolicy("1.2.x || >=2.0.0, !=2.1.0"), semverPolicy("^1.x-0"), semverPolicy("2025.x"), semverPolicy(">=5.0.0"), semverPolicy("banana"),
	ordered("alphabetical", "asc"), ordered("alphabetical", "desc"), ordered("numerical", "asc"), ordered("numerical", "desc"),
}

func semverPolicy(text string) map[string]any {
	return map[string]any{"semver": map[string]string{"range": text}}
}

func ordered(kind, order string) map[string]any {
	return map[string]any{kind: map[string]string{"order": order}}
}

// selections goes by the rules of image-reflector-controller 1.2: what a filter extracts stands for
// its tag, of equal extracts the tag that comes last in descending order counts, and one text that
// is no number spoils a numerical policy.
func selections() []selection {
	var all []selection
	for _, list := range slices.Sorted(mapKeys(lists)) {
		for _, filter := range orNone(filters[list]) {
			for _, policy := range policies {
				made := selection{Policy: policy, Filter: filter, List: list}
				made.Tag, made.Tie = choose(policy, filter, nil, lists[list])
				all = append(all, made)
			}
		}
	}
	for _, exclude := range [][]string{{`-rc`, `^v`}, {`^1\.`}, {`.`}} {
		made := selection{Policy: semverPolicy("*-0"), Exclude: exclude, List: "releases"}
		made.Tag, made.Tie = choose(made.Policy, nil, exclude, lists["releases"])
		all = append(all, made)
	}
	return all
}

func orNone(filters []map[string]string) []map[string]string {
	if filters == nil {
		return []map[string]string{nil}
	}
	return filters
}

func mapKeys[V any](of map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range of {
			if !yield(key) {
				return
			}
		}
	}
}

func choose(policy map[string]any, filter map[string]string, exclude, list []string) (string, bool) {
	if exclude == nil {
		exclude = []string{`^.*\.sig$`}
	}
	tags := slices.DeleteFunc(slices.Clone(list), func(tag string) bool {
		return slices.ContainsFunc(exclude, func(out string) bool { return regexp.MustCompile(out).MatchString(tag) })
	})
	slices.Sort(tags)
	slices.Reverse(tags)
	byText, texts, tie := map[string]string{}, []string{}, false
	pattern, err := regexp.Compile(filter["pattern"])
	if err != nil {
		return "", false
	}
	for _, tag := range tags {
		match := pattern.FindStringSubmatchIndex(tag)
		if match == nil {
			continue
		}
		text := tag
		if template := filter["extract"]; template != "" {
			text = string(pattern.ExpandString(nil, template, tag, match))
		}
		if _, known := byText[text]; known {
			tie = true
		} else {
			texts = append(texts, text)
		}
		byText[text] = tag
	}
	best, more := highest(policy, texts)
	return byText[best], tie || more
}

// highest gives the text that a policy puts first, and whether another one is its equal.
func highest(policy map[string]any, texts []string) (best string, tie bool) {
	for kind, settings := range policy {
		settings := settings.(map[string]string)
		switch kind {
		case "semver":
			constraint, err := semver.NewConstraint(settings["range"])
			if err != nil {
				return "", false
			}
			var top *semver.Version
			for _, text := range texts {
				version, err := semver.NewVersion(text)
				if err != nil || len(strings.SplitN(text, ".", 3)) != 3 || !constraint.Check(version) {
					continue
				}
				if top == nil || version.GreaterThan(top) {
					top, tie = version, false
				} else if version.Equal(top) {
					tie = true
				}
			}
			if top == nil {
				return "", false
			}
			return top.Original(), tie
		case "alphabetical":
			if len(texts) > 0 && settings["order"] == "asc" {
				return slices.Max(texts), false
			} else if len(texts) > 0 {
				return slices.Min(texts), false
			}
		case "numerical":
			var top float64
			for i, text := range texts {
				number, err := strconv.ParseFloat(text, 64)
				if err != nil {
					return "", false
				}
				if i > 0 && number == top {
					tie = true
				} else if i > 0 && (number > top) != (settings["order"] == "asc") {
					continue
				} else {
					tie = false
				}
				best, top = text, number
			}
		}
	}
	return best, tie
}
