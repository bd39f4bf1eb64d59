package v1

// Types of conditions. True is the healthy value of all but Reconciling and Stalled, which are absent or False in
// a healthy stream, as kstatus expects.
const (
	// ConditionReady: the stream is able to serve viewers. It does not depend on whether there are any.
	ConditionReady = "Ready"
	// ConditionReconciling: the operator is bringing the cluster to the observed generation.
	ConditionReconciling = "Reconciling"
	// ConditionStalled: the operator cannot go on until the spec, or something it depends on, is changed.
	ConditionStalled = "Stalled"
	// ConditionPeerable: the stream's segments can be shared between peers.
	ConditionPeerable = "Peerable"
	// ConditionTrackerReady: the tracker accepts announces.
	ConditionTrackerReady = "TrackerReady"
	// ConditionSTUNReady: a STUN server answers, or STUN is disabled.
	ConditionSTUNReady = "STUNReady"
	// ConditionSeedersReady: seeders hold the stream up to its live edge, or none are requested.
	ConditionSeedersReady = "SeedersReady"
	// ConditionTelemetryFresh: the figures in status are current.
	ConditionTelemetryFresh = "TelemetryFresh"
	// ConditionAccepted: the network that the stream names admits it. Streams without a network do not have this condition.
	ConditionAccepted = "Accepted"
)

// Reasons. Each is part of the API: alerts and scripts may compare them.
const (
	// ReasonPending: the operator has not observed this yet.
	ReasonPending = "Pending"
	// ReasonSuspended: spec.suspend is set, so the operator changes nothing.
	ReasonSuspended = "Suspended"
	// ReasonProgressing: the operator is working on it.
	ReasonProgressing = "Progressing"
	// ReasonServing: the stream has everything it needs.
	ReasonServing = "Serving"
	// ReasonUpgradeWaiting: the pods are those of a former version of the operator, until it is their turn.
	ReasonUpgradeWaiting = "UpgradeWaiting"
	// ReasonInvalidSpec: the spec cannot be carried out; the message names the field.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonApplyFailed: the API server refused a child, or could not be reached; the message says why.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonContested: another field manager changes an object of the stream whenever the operator has changed it back.
	ReasonContested = "Contested"
	// ReasonAccepted: the network admits the stream.
	ReasonAccepted = "Accepted"
	// ReasonLimited: the network admits the stream, which asks for more than the network lets streams have and gets what it does.
	ReasonLimited = "Limited"
	// ReasonNetworkNotFound: the network that the stream names does not exist.
	ReasonNetworkNotFound = "NetworkNotFound"
	// ReasonNotAdmitted: the network does not admit streams of this namespace.
	ReasonNotAdmitted = "NotAdmitted"
	// ReasonNetworkFull: the network has as many streams as it admits.
	ReasonNetworkFull = "NetworkFull"
	// ReasonSwarmTaken: another stream of the network has had the same swarm for longer.
	ReasonSwarmTaken = "SwarmTaken"
	// ReasonNodePortTaken: another Service of the cluster uses the node port that the spec requests.
	ReasonNodePortTaken = "NodePortTaken"
	// ReasonPodsForbidden: a policy, a quota or a limit range of the namespace forbids the pods.
	ReasonPodsForbidden = "PodsForbidden"
	// ReasonSecretNotFound: a Secret that the spec names does not exist, or lacks a key.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonImagePullFailed: a node cannot pull the image.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonUnschedulable: no node has room for a pod, or none is permitted.
	ReasonUnschedulable = "Unschedulable"
	// ReasonCrashLooping: a container keeps crashing.
	ReasonCrashLooping = "CrashLooping"

	// ReasonShareable: segments can be shared between peers.
	ReasonShareable = "Shareable"
	// ReasonLowLatencyPartsOnly: players fetch partial segments, which peers do not exchange.
	ReasonLowLatencyPartsOnly = "LowLatencyPartsOnly"
	// ReasonLiveWindowTooShort: the playlist holds too few segments to fetch from peers in time.
	ReasonLiveWindowTooShort = "LiveWindowTooShort"
	// ReasonNoRenditions: the manifest names nothing that can be fetched.
	ReasonNoRenditions = "NoRenditions"
	// ReasonUnknownCodecs: a variant lists a codec that hls.js does not know, so browsers would not find each other.
	ReasonUnknownCodecs = "UnknownCodecs"
	// ReasonMediaPlaylistRedirected: a playlist comes from another URL than the manifest names.
	ReasonMediaPlaylistRedirected = "MediaPlaylistRedirected"
	// ReasonDeltaUpdates: players reload with _HLS_skip, and browsers share nothing after the first playlist.
	ReasonDeltaUpdates = "DeltaUpdates"
	// ReasonBlockingReload: the same with _HLS_msn.
	ReasonBlockingReload = "BlockingReload"
	// ReasonUnusualDuration: browsers number segments behind such a duration in different ways.
	ReasonUnusualDuration = "UnusualDuration"
	// ReasonSameIdentity: peers cannot tell two renditions from each other, and their segments differ.
	ReasonSameIdentity = "SameIdentity"
	// ReasonDifferentPerSession: two sessions get different media under one number.
	ReasonDifferentPerSession = "DifferentPerSession"
	// ReasonDifferentPerClient: seeders and tracker get different media under one number.
	ReasonDifferentPerClient = "DifferentPerClient"
	// ReasonSegmentsEncoded: segments come with a Content-Encoding.
	ReasonSegmentsEncoded = "SegmentsEncoded"
	// ReasonRangesIgnored: segments are byte ranges, and the origin answers Range requests with whole files.
	ReasonRangesIgnored = "RangesIgnored"
	// ReasonNoContentLength: the origin does not say how long a segment is, and seeders cannot tell.
	ReasonNoContentLength = "NoContentLength"
	// ReasonSourceUnreachable: the manifest could not be fetched or parsed; the message says why.
	ReasonSourceUnreachable = "SourceUnreachable"

	// ReasonAvailable: enough replicas answer.
	ReasonAvailable = "Available"
	// ReasonUnavailable: too few replicas answer.
	ReasonUnavailable = "Unavailable"
	// ReasonDisabled: the spec requests none.
	ReasonDisabled = "Disabled"
	// ReasonIdle: none run because there are no viewers; the first one starts one.
	ReasonIdle = "Idle"
	// ReasonNotAdvertised: it runs, but has no known address at which viewers can reach it.
	ReasonNotAdvertised = "NotAdvertised"
	// ReasonClusterOnly: it runs, and only what is inside the cluster can reach it.
	ReasonClusterOnly = "ClusterOnly"
	// ReasonAddressPending: what exposes it, such as a load balancer, has no address yet.
	ReasonAddressPending = "AddressPending"
	// ReasonClassNotFound: no controller serves what exposes it, because the cluster lacks the class that it names.
	ReasonClassNotFound = "ClassNotFound"
	// ReasonGatewayAPIMissing: the cluster lacks the kind of the Gateway API by which the spec exposes the tracker.
	ReasonGatewayAPIMissing = "GatewayAPIMissing"
	// ReasonGatewayNotFound: a Gateway that the spec names does not exist.
	ReasonGatewayNotFound = "GatewayNotFound"
	// ReasonRouteNotAccepted: a Gateway does not serve the route to the tracker, or no controller has said that it does.
	ReasonRouteNotAccepted = "RouteNotAccepted"
	// ReasonCertManagerMissing: the spec asks cert-manager for a certificate, and the cluster lacks its kind Certificate.
	ReasonCertManagerMissing = "CertManagerMissing"
	// ReasonCertificateNotReady: cert-manager has not issued the certificate that the spec asks for.
	ReasonCertificateNotReady = "CertificateNotReady"
	// ReasonHostElsewhere: the host of the tracker resolves to other addresses than those that serve it.
	ReasonHostElsewhere = "HostElsewhere"
	// ReasonSTUNSilent: no STUN server answers the tracker, so that viewers are given none.
	ReasonSTUNSilent = "STUNSilent"
	// ReasonInsecureEndpoint: pages on https cannot use the ws endpoint.
	ReasonInsecureEndpoint = "InsecureEndpoint"
	// ReasonSiteMapMissing: the ConfigMap of spec.sites.mapRef, or its key, does not exist.
	ReasonSiteMapMissing = "SiteMapMissing"
	// ReasonSiteMapInvalid: the map of sites, or lines of it, cannot be used; the message names the first line.
	ReasonSiteMapInvalid = "SiteMapInvalid"
	// ReasonClientAddressesHidden: the tracker does not see the addresses of viewers, so that their sites cannot be told.
	ReasonClientAddressesHidden = "ClientAddressesHidden"
	// ReasonLocalAddressesHidden: browsers of a site hide their own addresses from each other, so that its subnets do not meet.
	ReasonLocalAddressesHidden = "LocalAddressesHidden"
	// ReasonBehindLiveEdge: seeders run, but hold less than the origin has published.
	ReasonBehindLiveEdge = "BehindLiveEdge"

	// ReasonReporting: reports arrive.
	ReasonReporting = "Reporting"
	// ReasonNoViewers: there are no viewers to report.
	ReasonNoViewers = "NoViewers"
	// ReasonStale: the figures are old; they stay, with their time.
	ReasonStale = "Stale"
	// ReasonLowCoverage: fewer than 20 % of the viewers report, so offload is omitted.
	ReasonLowCoverage = "LowCoverage"
)
