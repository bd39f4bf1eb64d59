package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// hopeless are reasons of waiting containers that do not go away by themselves.
var hopeless = []string{"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}

// manyRestarts is the number of restarts from which a crashing container counts as stuck.
const manyRestarts = 3

// stuckPods describes the containers of a list of pods that will not start by waiting; empty: none.
func stuckPods(raw []byte) (string, error) {
	var pods struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Status struct {
				ContainerStatuses []struct {
					Image        string `json:"image"`
					RestartCount int    `json:"restartCount"`
					State        struct {
						Waiting *struct {
							Reason  string `json:"reason"`
							Message string `json:"message"`
						} `json:"waiting"`
					} `json:"state"`
				} `json:"containerStatuses"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &pods); err != nil {
		return "", fmt.Errorf("reading the list of pods: %w", err)
	}
	var stuck []string
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			w := c.State.Waiting
			if w == nil {
				continue
			}
			if slices.Contains(hopeless, w.Reason) || w.Reason == "CrashLoopBackOff" && c.RestartCount >= manyRestarts {
				stuck = append(stuck, fmt.Sprintf("pod %s, image %s: %s: %s", p.Metadata.Name, c.Image, w.Reason, w.Message))
			}
		}
	}
	return strings.Join(stuck, "; "), nil
}
