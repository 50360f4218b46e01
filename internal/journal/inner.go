package journal

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Inner serves a plugin in the process of the journal. It answers a call, named
// as gRPC does it ("/tfplugin5.Provider/Configure"), with messages as bytes.
type Inner func(ctx context.Context, method string, in []byte) (out []byte, err error)

// caller passes calls on to a plugin, in whichever process it is.
type caller interface {
	// call makes one that has a single request and a single answer. The headers of
	// incoming go with it.
	call(ctx, incoming context.Context, method string, in []byte) (out []byte, err error)
	// pipe passes one on however many messages it has.
	pipe(stream grpc.ServerStream, method string) error
	close()
}

// remote is a plugin in a process of its own.
type remote struct{ conn *grpc.ClientConn }

func (r remote) close() { r.conn.Close() }

func (r remote) call(ctx, incoming context.Context, method string, in []byte) (out []byte, err error) {
	err = r.conn.Invoke(outgoing(ctx, incoming), method, &in, &out)
	return out, err
}

// outgoing is base with the headers that came with a call.
func outgoing(base, incoming context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(incoming)
	return metadata.NewOutgoingContext(base, md)
}

func (r remote) pipe(stream grpc.ServerStream, full string) error {
	up, err := r.conn.NewStream(outgoing(stream.Context(), stream.Context()), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, full)
	if err != nil {
		return err
	}
	go func() {
		for {
			var b []byte
			if stream.RecvMsg(&b) != nil {
				_ = up.CloseSend()
				return
			}
			if up.SendMsg(&b) != nil {
				return
			}
		}
	}()
	for {
		var b []byte
		if err := up.RecvMsg(&b); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&b); err != nil {
			return err
		}
	}
}

func (i Inner) close() {}

func (i Inner) call(ctx, _ context.Context, method string, in []byte) ([]byte, error) {
	return i(ctx, method, in)
}

func (i Inner) pipe(stream grpc.ServerStream, method string) error {
	var in []byte
	if err := stream.RecvMsg(&in); err != nil {
		return err
	}
	if method == "/grpc.health.v1.Health/Check" {
		return stream.SendMsg(&[]byte{1 << 3, 1}) // status: SERVING
	}
	out, err := i(stream.Context(), method, in)
	if err != nil {
		return err
	}
	return stream.SendMsg(&out)
}
