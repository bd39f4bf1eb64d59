package v1

// Types of conditions. All are positive but Reconciling and Stalled, which are absent or False when
// all is well, as kstatus expects.
const (
	// ConditionReady: the stream would serve a viewer who came now. Nobody watching is healthy.
	ConditionReady = "Ready"
	// ConditionReconciling: the operator is bringing the world to the observed generation.
	ConditionReconciling = "Reconciling"
	// ConditionStalled: nothing will happen until somebody changes the spec or what it needs.
	ConditionStalled = "Stalled"
	// ConditionPeerable: the stream is of a kind that peers can share.
	ConditionPeerable = "Peerable"
	// ConditionTrackerReady: the tracker accepts announces.
	ConditionTrackerReady = "TrackerReady"
	// ConditionSTUNReady: STUN answers, or is not wanted.
	ConditionSTUNReady = "STUNReady"
	// ConditionSeedersReady: seeders hold the stream at its edge, or none are wanted.
	ConditionSeedersReady = "SeedersReady"
	// ConditionTelemetryFresh: the figures in status are not older than they should be.
	ConditionTelemetryFresh = "TelemetryFresh"
)

// Reasons. Each is part of the API: alerts and scripts may compare them.
const (
	// ReasonPending: the operator has not looked at this yet.
	ReasonPending = "Pending"
	// ReasonSuspended: spec.suspend is set, nothing is changed.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: the operator is at work.
	ReasonProgressing = "Progressing"
	// ReasonServing: all that the stream needs is there.
	ReasonServing = "Serving"
	// ReasonInvalidSpec: the spec cannot be carried out as it is; the message names the field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonApplyFailed: the API server refused a child, or could not be asked; the message says why.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonNodePortTaken: something else in the cluster has the node port that the spec asks for.
	ReasonNodePortTaken = "NodePortTaken"
	// ReasonPodsForbidden: the namespace lets no such pods in, by a policy, a quota or a limit range.
	ReasonPodsForbidden = "PodsForbidden"
	// ReasonSecretNotFound: a Secret that the spec names is not there, or lacks a key.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonImagePullFailed: a node cannot get the image.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonUnschedulable: no node has room for a pod, or none is allowed.
	ReasonUnschedulable = "Unschedulable"
	// ReasonCrashLooping: a container ends again and again.
	ReasonCrashLooping = "CrashLooping"

	// ReasonShareable: segments can be shared between peers.
	ReasonShareable = "Shareable"
	// ReasonLowLatencyPartsOnly: players fetch partial segments, which peers do not exchange.
	ReasonLowLatencyPartsOnly = "LowLatencyPartsOnly"
	// ReasonLiveWindowTooShort: the playlist holds too few segments to fetch any of them from peers in time.
	ReasonLiveWindowTooShort = "LiveWindowTooShort"
	// ReasonSourceUnreachable: the manifest could not be fetched, or is none that can be read; the message
	// says why.
	ReasonSourceUnreachable = "SourceUnreachable"

	// ReasonAvailable: enough replicas answer.
	ReasonAvailable = "Available"
	// ReasonUnavailable: too few replicas answer.
	ReasonUnavailable = "Unavailable"
	// ReasonDisabled: the spec asks for none of these.
	ReasonDisabled = "Disabled"
	// ReasonNotAdvertised: it runs, but no address is known by which viewers could reach it.
	ReasonNotAdvertised = "NotAdvertised"
	// ReasonInsecureEndpoint: pages on https cannot use the ws endpoint.
	ReasonInsecureEndpoint = "InsecureEndpoint"
	// ReasonBehindLiveEdge: seeders run, but hold less than the origin has published.
	ReasonBehindLiveEdge = "BehindLiveEdge"

	// ReasonReporting: reports arrive.
	ReasonReporting = "Reporting"
	// ReasonNoViewers: nobody is there to report.
	ReasonNoViewers = "NoViewers"
	// ReasonStale: the last figures are old, and stay with their time.
	ReasonStale = "Stale"
	// ReasonLowCoverage: fewer than 20 % of the viewers report, so offload is not stated.
	ReasonLowCoverage = "LowCoverage"
)
