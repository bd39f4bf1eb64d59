package dash

import (
	"math"
	"slices"
	"strings"
)

// better tells whether candidate goes better with wanted than best does, in another period.
// Source: shaka-player 4.16.9, PeriodCombiner.isVideoStreamBetterMatch_ and isAudioStreamBetterMatch_.
func better(wanted, best, candidate *representation) bool {
	for _, compare := range comparisons(wanted.set.kind) {
		if c := compare(wanted, best, candidate); c != 0 {
			return c > 0
		}
	}
	return false
}

// comparison is above 0 if candidate is better, below 0 if best is.
type comparison func(wanted, best, candidate *representation) int

func comparisons(kind string) []comparison {
	if kind == kindVideo {
		return []comparison{byCodecs, byResolution, byFrameRate, byBandwidth}
	}
	return []comparison{byCodecs, byLanguage, byLabel, byRoles, byMain, byChannels, bySampling, byBandwidth}
}

func byCodecs(wanted, best, candidate *representation) int {
	exact := func(r *representation) bool { return r.mimeType == wanted.mimeType && r.codecs == wanted.codecs }
	alike := func(r *representation) bool {
		return r.mimeType == wanted.mimeType && r.family == wanted.family
	}
	if c := truth(exact(candidate)) - truth(exact(best)); c != 0 {
		return c
	}
	return truth(alike(candidate)) - truth(alike(best))
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func byLanguage(wanted, best, candidate *representation) int {
	return related(wanted.set.language, candidate.set.language) - related(wanted.set.language, best.set.language)
}

func byLabel(wanted, best, candidate *representation) int {
	switch {
	case best.set.label == candidate.set.label:
		return 0
	case wanted.set.label == best.set.label:
		return -1
	}
	return truth(wanted.set.label == candidate.set.label)
}

func byRoles(wanted, best, candidate *representation) int {
	of, own := wanted.set.roles, func(r *representation) int {
		count := 0
		for _, role := range r.set.roles {
			count += truth(slices.Contains(wanted.set.roles, role))
		}
		return count
	}
	if len(of) == 0 {
		return truth(len(best.set.roles) > 0) - truth(len(candidate.set.roles) > 0)
	}
	if c := own(candidate) - own(best); c != 0 {
		return c
	}
	if len(best.set.roles) == len(candidate.set.roles) {
		return 0
	}
	// The player decides here either way.
	return 2*truth(len(candidate.set.roles) < len(best.set.roles)) - 1
}

func byMain(_, best, candidate *representation) int {
	return truth(candidate.set.main) - truth(best.set.main)
}

func byChannels(wanted, best, candidate *representation) int {
	return closest(wanted.channels, best.channels, candidate.channels)
}

func bySampling(wanted, best, candidate *representation) int {
	return closest(wanted.sampling, best.sampling, candidate.sampling)
}

func byResolution(wanted, best, candidate *representation) int {
	pixels := func(r *representation) float64 { return unknown(r.width) * unknown(r.height) }
	return closest(pixels(wanted), pixels(best), pixels(candidate))
}

func byFrameRate(wanted, best, candidate *representation) int {
	if wanted.frameRate == 0 {
		return 0
	}
	return closest(wanted.frameRate, unknown(best.frameRate), unknown(candidate.frameRate))
}

func byBandwidth(wanted, best, candidate *representation) int {
	if wanted.bandwidth == 0 {
		return 0
	}
	far, near := math.Abs(wanted.bandwidth-best.bandwidth), math.Abs(wanted.bandwidth-candidate.bandwidth)
	return truth(near < far) - truth(far < near)
}

// unknown makes 0 NaN, which is neither above nor below anything.
func unknown(n float64) float64 {
	if n == 0 {
		return math.NaN()
	}
	return n
}

// closest prefers what is equal, then what is below, then what is nearer. Any of them can be NaN.
func closest(wanted, best, candidate float64) int {
	switch {
	case best == wanted && candidate != wanted:
		return -1
	case candidate == wanted && best != wanted:
		return 1
	case best > wanted && candidate <= wanted:
		return 1
	case !(best > wanted) && candidate > wanted: // NaN is not above either
		return -1
	}
	far, near := math.Abs(wanted-best), math.Abs(wanted-candidate)
	return truth(near < far) - truth(far < near)
}

// codecFamilies are the families of codecs by the begin of their names, of those that have several.
var codecFamilies = map[string]string{
	"ac3": "ac-3", "eac3": "ec-3", "vp09": "vp9", "avc1": "avc", "avc3": "avc", "hvc1": "hevc", "hev1": "hevc",
	"vvc1": "vvc", "vvi1": "vvc", "dvh1": "dovi-hevc", "dvhe": "dovi-hevc", "dvav": "dovi-avc", "dva1": "dovi-avc",
	"dav1": "dovi-av1", "dvc1": "dovi-vvc", "dvi1": "dovi-vvc", "lvc1": "lcevc", "mp4a.69": "mp3", "mp4a.6b": "mp3", "mp4a.40.34": "mp3",
	"mp4a.66": "aac", "mp4a.67": "aac", "mp4a.68": "aac", "mp4a.40.2": "aac", "mp4a.40.02": "aac", "mp4a.40.5": "aac",
	"mp4a.40.05": "aac", "mp4a.40.29": "aac", "mp4a.40.42": "aac", "mp4a.a5": "ac-3", "mp4a.a6": "ec-3", "mp4a.b2": "dtsx",
	"mp4a.a9": "dtsc",
}

// codecFamily is the family of a codec. Source: shaka-player 4.16.9, MimeUtils.getNormalizedCodec.
func codecFamily(codecs string) string {
	name := strings.ToLower(codecs)
	if family, ok := codecFamilies[name]; ok {
		return family
	}
	base, profile, _ := strings.Cut(name, ".")
	if (base == "dvh1" || base == "dvhe") && strings.HasPrefix(profile, "05") {
		return "dovi-p5"
	}
	if family, ok := codecFamilies[base]; ok {
		return family
	}
	return base
}
