package dash

// Bounds of what is read. An MPD beyond one of them is refused with ReasonTooLarge, except where something else is said.
const (
	// maxBytes is the longest MPD, in bytes.
	maxBytes = 16 << 20
	// maxDepth is how deep elements may be nested.
	maxDepth = 32
	// maxElements bounds the elements, those of timelines (S) excluded.
	maxElements = 100_000
	// maxAttributes bounds the attributes of one element.
	maxAttributes = 64
	// maxAttributeBytes bounds the value of one attribute.
	maxAttributeBytes = 16_384
	// maxPoints bounds the elements of all timelines (S) together.
	maxPoints = 500_000
	// maxEntries bounds the segments that all timelines name with their repeats, and all lists with those that use them.
	maxEntries = 2_000_000
	// maxPeriods bounds the periods.
	maxPeriods = 1_000
	// maxSets bounds the adaptation sets of one period.
	maxSets = 200
	// maxRepresentations bounds the representations of one period, those with supplemental codecs twice.
	maxRepresentations = 200
	// maxAllRepresentations bounds the representations of all periods.
	maxAllRepresentations = 5_000
	// maxTracks bounds the renditions that the representations of all periods make up.
	maxTracks = 200
	// maxDescriptors bounds the roles of one set, and what it says of accessibility.
	maxDescriptors = 100
	// maxClocks is how many UTCTiming elements are looked at. Further ones are passed over.
	maxClocks = 16
	// maxBaseURLs bounds the URLs under which one resource is named.
	maxBaseURLs = 16
	// maxURLBytes bounds one URL, in bytes.
	maxURLBytes = 8192
	// maxWidth bounds the width of an identifier in a template, in digits.
	maxWidth = 64
	// maxSegments is how many segments of one rendition are listed. The oldest are left out beyond it.
	maxSegments = 20_000
	// maxNamed bounds the bytes of all segment URLs of one rendition.
	maxNamed = 16 << 20
	// newestOnly is how many segments a player lists at first of a live representation that is addressed by number.
	// Source: shaka-player 4.16.9, manifest.dash.initialSegmentLimit.
	newestOnly = 1_000
	// maxIndexBytes bounds a segment index (sidx), in bytes: one has at most 65,535 references of 12 bytes.
	maxIndexBytes = 1 << 20
	// maxInteger is the largest whole number that JavaScript counts exactly.
	maxInteger = 1<<53 - 1
)
