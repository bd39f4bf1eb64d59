package main

// boards are all dashboards. Expressions name streams by $namespace and $name, and programs by $component.
var boards = []board{streamBoard, programBoard}

const of = `{namespace=~"$namespace",name=~"$name"}`

var streamBoard = board{
	File: "streams", UID: "p2pstream-streams", Title: "p2pstream: streams",
	About: "Viewers of the chosen streams: where their media comes from, what the lines of sites carry, stalls, and seeders.",
	Variables: []variable{
		{"namespace", "label_values(p2pstream_viewerapi_sessions, namespace)"},
		{"name", `label_values(p2pstream_viewerapi_sessions{namespace=~"$namespace"}, name)`},
	},
	Rows: []row{
		{Title: "Now", Height: 4, Panels: []panel{
			{Title: "Viewers", Unit: "short", Stat: true, About: "Open WebSockets of viewers.",
				Queries: []query{{"", `sum(p2pstream_tracker_sockets{role="viewer",namespace=~"$namespace",name=~"$name"})`}}},
			{Title: "Offload", Unit: "percentunit", Stat: true, About: "Share of the received media that did not come from the origin, over 5 minutes.",
				Queries: []query{{"", `sum(p2pstream:received_bytes:rate5m{source!="http",namespace=~"$namespace",name=~"$name"}) / sum(p2pstream:received_bytes:rate5m` + of + `)`}}},
			{Title: "Worst site", Unit: "short", Stat: true, About: "Copies on the line of the site that has most of them. About one is meant.",
				Queries: []query{{"", `max(p2pstream_viewerapi_site_copies` + of + `)`}}},
			{Title: "Stalled", Unit: "percentunit", Stat: true, About: "Share of the viewers' time in which playback waits for media, of the worst stream, over 5 minutes.",
				Queries: []query{{"", `max(p2pstream:stalled:ratio_rate5m` + of + `)`}}},
			{Title: "Start-up, 95 %", Unit: "s", Stat: true, About: "In this time 95 % of the viewers had their first frame, over 10 minutes, of the worst stream.",
				Queries: []query{{"", `max(p2pstream:startup_seconds:p95_rate10m` + of + `)`}}},
			{Title: "Seeders behind", Unit: "short", Stat: true, About: "Seeders that lack the newest segments.",
				Queries: []query{{"", `sum(p2pstream_viewerapi_seeders_behind` + of + `)`}}},
		}},
		{Title: "Viewers", Panels: []panel{
			{Title: "Viewers", Unit: "short", About: "Those that are connected, and those of them that report.", Queries: []query{
				{"{{namespace}}/{{name}} connected", `sum by (namespace, name) (p2pstream_tracker_sockets{role="viewer",namespace=~"$namespace",name=~"$name"})`},
				{"{{namespace}}/{{name}} reporting", `p2pstream:reporting_viewers:sum` + of}}},
			{Title: "Media by source", Unit: "bps", Stack: true, About: "What viewers receive, as they report.",
				Queries: []query{{"{{source}}", `8 * sum by (source) (p2pstream:received_bytes:rate5m` + of + `)`}}},
			{Title: "Offload", Unit: "percentunit", Max: 1, About: "Share of the received media that did not come from the origin.",
				Queries: []query{{"{{namespace}}/{{name}}", `p2pstream:offload:ratio_rate5m` + of}}},
		}},
		{Title: "Sites", Panels: []panel{
			{Title: "Copies", Unit: "short", About: "How many times what is played at a site comes over its line. About one is meant.",
				Queries: []query{{"{{site}}", `topk(15, max by (site) (p2pstream_viewerapi_site_copies` + of + `))`}}},
			{Title: "Media on the line", Unit: "bps", About: "Media that comes into a site from outside.",
				Queries: []query{{"{{site}}", `topk(15, sum by (site) (p2pstream_viewerapi_site_line_bits_per_second` + of + `))`}}},
			{Title: "Viewers by site", Unit: "short", Stack: true, About: "Viewers of the sites with most of them.",
				Queries: []query{{"{{site}}", `topk(15, sum by (site) (p2pstream_viewerapi_site_viewers` + of + `))`}}},
		}},
		{Title: "Quality", Panels: []panel{
			{Title: "Start-up", Unit: "s", About: "Time from the request to play to the first frame.", Queries: []query{
				{"50 %", `histogram_quantile(0.5, sum by (le) (rate(p2pstream_viewerapi_startup_seconds_bucket` + of + `[10m])))`},
				{"95 %", `histogram_quantile(0.95, sum by (le) (rate(p2pstream_viewerapi_startup_seconds_bucket` + of + `[10m])))`}}},
			{Title: "Stalled", Unit: "percentunit", About: "Share of the viewers' time in which playback waits for media.",
				Queries: []query{{"{{namespace}}/{{name}}", `p2pstream:stalled:ratio_rate5m` + of}}},
			{Title: "Checked segments", Unit: "cps", About: "Segments from peers that viewers compared with the hashes of seeders. Wrong ones were dropped.",
				Queries: []query{{"{{result}}", `sum by (result) (rate(p2pstream_viewerapi_checked_segments_total` + of + `[$__rate_interval]))`}}},
		}},
		{Title: "Seeders", Panels: []panel{
			{Title: "Sent to peers", Unit: "bps", About: "Media that each seeder hands to peers.",
				Queries: []query{{"{{pod}}", `8 * sum by (pod) (rate(p2pstream_seeder_uploaded_bytes_total` + of + `[$__rate_interval]))`}}},
			{Title: "From the origin", Unit: "bps", About: "Media that each seeder fetches.",
				Queries: []query{{"{{pod}}", `8 * sum by (pod) (rate(p2pstream_seeder_origin_bytes_total` + of + `[$__rate_interval]))`}}},
			{Title: "Connections", Unit: "percentunit", Max: 1, About: "Connections in use, of those that the seeder accepts.",
				Queries: []query{{"{{pod}}", `sum by (pod) (p2pstream_seeder_peers` + of + `) / sum by (pod) (p2pstream_seeder_peers_limit` + of + `)`}}},
			{Title: "Store", Unit: "percentunit", Max: 1, About: "Bytes of segments held, of those that there is room for.",
				Queries: []query{{"{{pod}}", `sum by (pod) (p2pstream_seeder_store_bytes` + of + `) / sum by (pod) (p2pstream_seeder_store_limit_bytes` + of + `)`}}},
		}},
		{Title: "Supply", Panels: []panel{
			{Title: "Seeders", Unit: "short", About: "Those that report, those that hold the stream and have room, and those that are behind.", Queries: []query{
				{"reporting", `sum(p2pstream_viewerapi_reporting_seeders` + of + `)`},
				{"holding", `sum(p2pstream_viewerapi_seeders_holding` + of + `)`},
				{"behind", `sum(p2pstream_viewerapi_seeders_behind` + of + `)`}}},
			{Title: "Source", Unit: "short", Max: 1, About: "Whether reading the manifest fails (1), and whether the stream can be shared (1).", Queries: []query{
				{"{{namespace}}/{{name}} problem", `max by (namespace, name) (p2pstream_viewerapi_stream_problem` + of + `)`},
				{"{{namespace}}/{{name}} can be shared", `min by (namespace, name) (p2pstream_viewerapi_stream_peerable` + of + `)`}}},
			{Title: "STUN", Unit: "cps", About: "Messages of STUN servers by outcome.",
				Queries: []query{{"{{outcome}}", `sum by (outcome) (rate(p2pstream_stun_messages_total` + of + `[$__rate_interval]))`}}},
		}},
	},
}

const program = `{component=~"$component"}`

var programBoard = board{
	File: "programs", UID: "p2pstream-programs", Title: "p2pstream: operator and programs",
	About:     "The operator, the trackers' work and limits, and the processes.",
	Variables: []variable{{"component", `label_values(up{component=~"manager|tracker|stun|seeder"}, component)`}},
	Rows: []row{
		{Title: "Operator", Panels: []panel{
			{Title: "Streams", Unit: "short", About: "Streams by the reason of their condition Ready.",
				Queries: []query{{"{{status}} {{reason}}", `sum by (status, reason) (p2pstream_operator_streams{condition="Ready"})`}}},
			{Title: "Runs", Unit: "cps", About: "Runs of the reconcile loop by result.",
				Queries: []query{{"{{result}}", `sum by (result) (rate(controller_runtime_reconcile_total{component="manager"}[$__rate_interval]))`}}},
			{Title: "Time of a run, 99 %", Unit: "s", About: "In this time 99 % of the runs of each phase ended.",
				Queries: []query{{"{{phase}}", `histogram_quantile(0.99, sum by (phase, le) (rate(p2pstream_operator_phase_seconds_bucket[10m])))`}}},
			{Title: "Queue", Unit: "short", About: "Streams that wait for a run.",
				Queries: []query{{"{{controller}}", `sum by (controller) (workqueue_depth{component="manager"})`}}},
		}},
		{Title: "Trackers", Panels: []panel{
			{Title: "Messages", Unit: "cps", About: "Messages from clients by kind.",
				Queries: []query{{"{{kind}}", `sum by (kind) (rate(p2pstream_tracker_messages_total[$__rate_interval]))`}}},
			{Title: "Time of a message, 99 %", Unit: "s", About: "In this time 99 % of the messages had caused their answers.",
				Queries: []query{{"{{namespace}}/{{name}}", `histogram_quantile(0.99, sum by (namespace, name, le) (rate(p2pstream_tracker_handling_seconds_bucket[10m])))`}}},
			{Title: "Refused connections", Unit: "cps", About: "WebSocket upgrades refused, by limit or other reason.",
				Queries: []query{{"{{limit}}", `topk(10, sum by (limit) (rate(p2pstream_tracker_sockets_refused_total[$__rate_interval])))`}}},
			{Title: "Refused reports", Unit: "cps", About: "Reports of viewers and seeders that were refused, by reason.",
				Queries: []query{{"{{result}}", `topk(10, sum by (result) (rate(p2pstream_viewerapi_reports_total{result!="Accepted"}[$__rate_interval])))`}}},
		}},
		{Title: "Introductions", Panels: []panel{
			{Title: "Offers", Unit: "cps", About: "Offers by what became of them.",
				Queries: []query{{"{{result}}", `sum by (result) (rate(p2pstream_tracker_offers_total[$__rate_interval]))`}}},
			{Title: "Answers", Unit: "cps", About: "Answers by what became of them.",
				Queries: []query{{"{{result}}", `sum by (result) (rate(p2pstream_tracker_answers_total[$__rate_interval]))`}}},
			{Title: "Peers", Unit: "short", About: "Memberships in swarms by role.",
				Queries: []query{{"{{role}}", `sum by (role) (p2pstream_tracker_peers)`}}},
		}},
		{Title: "Processes", Panels: []panel{
			{Title: "Memory", Unit: "bytes", About: "Resident memory.",
				Queries: []query{{"{{component}} {{pod}}", `process_resident_memory_bytes` + program}}},
			{Title: "Processor", Unit: "short", About: "Processor cores in use.",
				Queries: []query{{"{{component}} {{pod}}", `rate(process_cpu_seconds_total` + program + `[$__rate_interval])`}}},
			{Title: "Goroutines", Unit: "short", About: "Goroutines. They grow with connections.",
				Queries: []query{{"{{component}} {{pod}}", `go_goroutines` + program}}},
			{Title: "Descriptors", Unit: "percentunit", Max: 1, About: "Open file descriptors, of those that are allowed.",
				Queries: []query{{"{{component}} {{pod}}", `process_open_fds` + program + ` / process_max_fds` + program}}},
		}},
	},
}
