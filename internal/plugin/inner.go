package plugin

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/berthdev/berth/internal/journal"
)

// Inner serves a plugin of this binary within its process; nil if there is none
// of this name that may be. The process is one build's alone, since the coder
// plugin reads its answers from the environment.
func Inner(name string) journal.Inner {
	i := slices.IndexFunc(served, func(p pluginBinary) bool { return p.name == name && p.inner })
	if i < 0 {
		return nil
	}
	p := served[i]
	provider := p.provider().GRPCProvider
	// The methods of what serves the protocol, each from a request to an answer.
	methods := reflect.ValueOf(tf5server.New(p.address, provider(), tf5server.WithoutLogStderrOverride()))
	return func(ctx context.Context, method string, in []byte) (out []byte, err error) {
		defer func() {
			if fault := recover(); fault != nil { // it would end the journal with it
				fmt.Fprintf(os.Stderr, "%s: %v\n%s", method, fault, debug.Stack())
				err = status.Errorf(codes.Internal, "the plugin %s failed: %v", p.name, fault)
			}
		}()
		call := methods.MethodByName(method[strings.LastIndexByte(method, '/')+1:])
		if !strings.HasPrefix(method, "/tfplugin5.Provider/") || !unary(call) {
			return nil, status.Errorf(codes.Unimplemented, "the plugin %s does not know %s", p.name, method)
		}
		request := reflect.New(call.Type().In(1).Elem())
		if err := proto.Unmarshal(in, request.Interface().(proto.Message)); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		said := call.Call([]reflect.Value{reflect.ValueOf(ctx), request})
		if err, failed := said[1].Interface().(error); failed {
			return nil, err
		}
		return proto.Marshal(said[0].Interface().(proto.Message))
	}
}

// unary tells whether a method has one request and one answer.
func unary(m reflect.Value) bool {
	if !m.IsValid() || m.Type().NumIn() != 2 || m.Type().NumOut() != 2 {
		return false
	}
	message := reflect.TypeFor[proto.Message]()
	return m.Type().In(0) == reflect.TypeFor[context.Context]() && m.Type().In(1).Implements(message) && m.Type().Out(0).Implements(message)
}
