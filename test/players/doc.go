// Package players lets real players, ffmpeg and ffprobe, play through the
// viewer's proxy, with the real origin, tracker, STUN server and seeders on the
// loopback interface.
package players
