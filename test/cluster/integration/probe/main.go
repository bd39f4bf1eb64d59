// Command probe is what the integration test runs in pods and offices: it says its own name and the address of
// the caller, and asks other probes for the same.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// port serves HTTP by TCP and echoes by UDP.
const port = ":8080"

const patience = 3 * time.Second

// who is what the probe says of itself and of the caller.
type who struct {
	Pod  string `json:"pod"`
	Node string `json:"node"`
	Seen string `json:"seen"`
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "udp" {
		answer, err := askUDP(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "get" {
		answer, err := get(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
		return
	}
	go echo()
	log.Fatal(http.ListenAndServe(port, routes()))
}

func self(seen string) string {
	host, _, _ := net.SplitHostPort(seen)
	out, _ := json.Marshal(who{Pod: os.Getenv("POD"), Node: os.Getenv("NODE"), Seen: host})
	return string(out)
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, self(r.RemoteAddr)) })
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		_, _ = io.Copy(w, bytes.NewReader(make([]byte, n)))
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) { relay(w, get, r.FormValue("url")) })
	mux.HandleFunc("/udp", func(w http.ResponseWriter, r *http.Request) { relay(w, askUDP, r.FormValue("to")) })
	return mux
}

func relay(w http.ResponseWriter, ask func(string) (string, error), of string) {
	answer, err := ask(of)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, answer)
}

func get(url string) (string, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

func echo() {
	socket, err := net.ListenPacket("udp", port)
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 1500)
	for {
		_, from, err := socket.ReadFrom(buffer)
		if err != nil {
			log.Fatal(err)
		}
		_, _ = socket.WriteTo([]byte(self(from.String())), from)
	}
}

// askUDP sends a packet and returns what comes back.
func askUDP(to string) (string, error) {
	conn, err := net.Dial("udp", to)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("who?")); err != nil {
		return "", err
	}
	buffer := make([]byte, 1500)
	n, err := conn.Read(buffer)
	return string(buffer[:n]), err
}
