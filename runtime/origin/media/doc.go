// Package media owns the embedded media of the test origin: one loop of H.264
// video in three renditions and of AAC audio, as made by make.sh, taken apart
// into samples. A sample is an access unit of video or a frame of audio; the
// containers that players see are written around them by mux.
//
// The files are fragmented MP4, 16 s long, with an IDR picture every second and
// no B-frames. Together with the audio the renditions have about 270, 410 and
// 640 kbit/s and the files 2.3 MB.
package media
