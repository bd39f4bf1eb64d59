package mesh

import "net"

type batchSocket struct{ *net.UDPConn }

func newBatchSocket(conn *net.UDPConn) *batchSocket { return &batchSocket{conn} }
