module golden

go 1.23

require github.com/Masterminds/semver/v3 v3.5.0
