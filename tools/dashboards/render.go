package main

import (
	"encoding/json"
	"fmt"
)

// board is one dashboard.
type board struct {
	File, Title, UID, About string
	Variables               []variable
	Rows                    []row
}

// variable is a choice at the top of a dashboard: the values of a label.
type variable struct{ Name, Query string }

// row is a headline and the panels below it, which share the width.
type row struct {
	Title  string
	Height int // in Grafana's units; 0: 8
	Panels []panel
}

// panel is one chart. Without stat it has a time axis.
type panel struct {
	Title, About, Unit string
	Stat, Stack        bool
	Max                float64 // of the axis; 0: Grafana decides
	Queries            []query
}

type query struct{ Legend, Expr string }

// width is that of Grafana's grid.
const width = 24

type object = map[string]any

var source = object{"type": "prometheus", "uid": "${datasource}"}

// render returns the dashboard as Grafana's JSON.
func (b board) render() []byte {
	variables := []object{{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": object{}, "hide": 0}}
	for _, v := range b.Variables {
		variables = append(variables, object{"name": v.Name, "label": v.Name, "type": "query", "datasource": source, "query": v.Query,
			"definition": v.Query, "refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*",
			"current": object{"text": "All", "value": "$__all"}, "hide": 0})
	}
	panels, y, id := []object{}, 0, 1
	for _, r := range b.Rows {
		panels = append(panels, object{"id": id, "type": "row", "title": r.Title, "collapsed": false,
			"gridPos": object{"x": 0, "y": y, "w": width, "h": 1}, "panels": []object{}})
		id, y = id+1, y+1
		height := max(r.Height, 4)
		if r.Height == 0 {
			height = 8
		}
		each := width / len(r.Panels)
		for i, p := range r.Panels {
			one := p.render()
			one["id"], one["gridPos"] = id, object{"x": i * each, "y": y, "w": each, "h": height}
			panels, id = append(panels, one), id+1
		}
		y += height
	}
	out, err := json.MarshalIndent(object{
		"uid": b.UID, "title": b.Title, "description": b.About, "tags": []string{"p2pstream"}, "schemaVersion": 39, "version": 1,
		"editable": true, "graphTooltip": 1, "refresh": "30s", "timezone": "browser", "time": object{"from": "now-1h", "to": "now"},
		"templating": object{"list": variables}, "annotations": object{"list": []object{alerts}}, "panels": panels,
	}, "", " ")
	if err != nil {
		panic(err) // all of it is in this package
	}
	return append(out, '\n')
}

// alerts marks when alerts fired.
var alerts = object{"name": "Alerts", "datasource": source, "enable": true, "iconColor": "red",
	"expr": `ALERTS{alertname=~"P2PStream.*",alertstate="firing"}`, "titleFormat": "{{alertname}}", "step": "60s"}

func (p panel) render() object {
	var targets []object
	for i, q := range p.Queries {
		targets = append(targets, object{"refId": fmt.Sprintf("%c", 'A'+i), "expr": q.Expr, "legendFormat": q.Legend, "datasource": source,
			"editorMode": "code", "range": !p.Stat, "instant": p.Stat})
	}
	defaults := object{"unit": p.Unit, "min": 0}
	if p.Max != 0 {
		defaults["max"] = p.Max
	}
	out := object{"title": p.Title, "description": p.About, "datasource": source, "targets": targets}
	if p.Stat {
		out["type"] = "stat"
		out["options"] = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "graphMode": "none", "colorMode": "none"}
	} else {
		custom := object{"lineWidth": 1, "fillOpacity": 0, "showPoints": "auto"}
		if p.Stack {
			custom["stacking"], custom["fillOpacity"] = object{"mode": "normal"}, 30
		}
		defaults["custom"] = custom
		out["type"] = "timeseries"
		out["options"] = object{"legend": object{"displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull", "max"}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	}
	out["fieldConfig"] = object{"defaults": defaults, "overrides": []object{}}
	return out
}
