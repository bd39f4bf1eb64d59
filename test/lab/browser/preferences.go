package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// firefoxPreferences is the user.js of a profile. What is not named here is as people have it.
func firefoxPreferences(o options) ([]byte, error) {
	const allowed, blocked = 0, 1
	autoplay := allowed
	if o.refuseAutoplay {
		autoplay = blocked
	}
	preferences := map[string]any{
		// Pages play without a click, unless a test refuses it, and in windows that are behind others as in those before them.
		"media.autoplay.default":                     autoplay,
		"media.autoplay.blocking_policy":             0,
		"dom.timeout.enable_budget_timer_throttling": false,
		"dom.min_background_timeout_value":           4,
		"media.suspend-background-video.enabled":     false,
		// Addresses of loopback are candidates, too: a network of a test may have no others.
		"media.peerconnection.ice.loopback": true,
		// Each tab has cookies and a cache of its own.
		"privacy.userContext.enabled": true,
		// Nothing is asked for on the Internet, and nothing but the test's pages is shown.
		"network.proxy.type":                         0,
		"services.settings.server":                   "data:,#remote-settings-dummy/v1",
		"network.captive-portal-service.enabled":     false,
		"network.connectivity-service.enabled":       false,
		"network.dns.disablePrefetch":                true,
		"app.update.disabledForTesting":              true,
		"app.normandy.enabled":                       false,
		"extensions.update.enabled":                  false,
		"extensions.getAddons.cache.enabled":         false,
		"extensions.systemAddon.update.enabled":      false,
		"media.gmp-manager.updateEnabled":            false,
		"browser.safebrowsing.malware.enabled":       false,
		"browser.safebrowsing.phishing.enabled":      false,
		"browser.safebrowsing.downloads.enabled":     false,
		"browser.region.network.url":                 "",
		"browser.search.update":                      false,
		"browser.newtabpage.enabled":                 false,
		"browser.startup.page":                       0,
		"browser.startup.homepage_override.mstone":   "ignore",
		"browser.shell.checkDefaultBrowser":          false,
		"browser.sessionstore.resume_from_crash":     false,
		"datareporting.policy.dataSubmissionEnabled": false,
		"datareporting.healthreport.uploadEnabled":   false,
		"toolkit.telemetry.enabled":                  false,
		"toolkit.telemetry.server":                   "data:,",
		"toolkit.cosmeticAnimations.enabled":         false,
	}
	if o.showAddresses {
		preferences["media.peerconnection.ice.obfuscate_host_addresses"] = false
	}
	var file bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(preferences)) {
		value, err := json.Marshal(preferences[name])
		if err != nil {
			return nil, fmt.Errorf("encoding preference %s: %w", name, err)
		}
		fmt.Fprintf(&file, "user_pref(%q, %s);\n", name, value)
	}
	return file.Bytes(), nil
}
