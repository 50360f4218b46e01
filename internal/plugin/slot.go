package plugin

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// maxMessage is the largest message between terraform and a plugin, in bytes.
const maxMessage = 256 << 20

// environment is the process's own, which the published plugin reads. One call
// of one slot at a time has its variables in it.
var environment sync.Mutex

// slotServer serves a fresh provider object that sees env as its environment. A
// call of the coder plugin waits for nothing, so that calls of other slots wait
// for it only as long as it computes.
func slotServer(p pluginBinary, env map[string]string) (*grpc.Server, error) {
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.UnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
			defer func() {
				if fault := recover(); fault != nil { // it would end the builds of all other slots
					fmt.Fprintf(os.Stderr, "berth-plugin slots: %s: %v\n%s", info.FullMethod, fault, debug.Stack())
					err = status.Errorf(codes.Internal, "the plugin %s failed: %v", p.name, fault)
				}
			}()
			defer enter(env)()
			return handle(ctx, request)
		}))
	defer enter(env)()
	provider := p.provider().GRPCProvider
	registered := tf5server.GRPCProviderPlugin{
		Name: p.address, GRPCProvider: func() tfprotov5.ProviderServer { return provider() },
		Opts: []tf5server.ServeOpt{tf5server.WithoutLogStderrOverride()},
	}
	if err := registered.GRPCServer(nil, server); err != nil {
		return nil, fmt.Errorf("serving the plugin %s: %w", p.name, err)
	}
	well := health.NewServer() // terraform may ask, as it does when it has started a plugin itself
	well.SetServingStatus("plugin", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, well)
	return server, nil
}

// enter makes env the environment until leave is called. What was there under
// the same names is there again after it.
func enter(env map[string]string) (leave func()) {
	environment.Lock()
	before := map[string]string{}
	for name, value := range env {
		if old, ok := os.LookupEnv(name); ok {
			before[name] = old
		}
		os.Setenv(name, value)
	}
	return func() {
		defer environment.Unlock()
		for name := range env {
			if old, ok := before[name]; ok {
				os.Setenv(name, old)
			} else {
				os.Unsetenv(name)
			}
		}
	}
}
