package journal

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// proxy serves one plugin's protocol and hands it on to the plugin.
type proxy struct {
	of *journal
	up Upstream
	to caller
}

// harmless are the calls that change nothing, by the names that they have in
// either version of the protocol. Any other waits at the gate.
var harmless = map[string]bool{
	"GetMetadata": true, "GetSchema": true, "GetProviderSchema": true, "GetResourceIdentitySchemas": true, "GetFunctions": true, "CallFunction": true,
	"PrepareProviderConfig": true, "ValidateProviderConfig": true, "Configure": true, "ConfigureProvider": true, "Stop": true, "StopProvider": true,
	"ValidateResourceTypeConfig": true, "ValidateResourceConfig": true, "ValidateDataSourceConfig": true, "ValidateDataResourceConfig": true,
	"ValidateEphemeralResourceConfig": true, "ValidateListResourceConfig": true, "ValidateActionConfig": true, "PlanAction": true,
	"UpgradeResourceState": true, "UpgradeResourceIdentity": true, "MoveResourceState": true, "ImportResourceState": true,
	"ReadResource": true, "PlanResourceChange": true, "ReadDataSource": true,
	"OpenEphemeralResource": true, "RenewEphemeralResource": true, "CloseEphemeralResource": true,
}

// handle serves every call that terraform makes.
func (p *proxy) handle(_ any, stream grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(stream)
	i := strings.LastIndexByte(full, '/')
	service, method := full[:max(i, 0)], full[i+1:]
	switch service {
	case controllerService:
		// The plugin is not terraform's to end.
		var in, out []byte
		if err := stream.RecvMsg(&in); err != nil {
			return err
		}
		return stream.SendMsg(&out)
	case brokerService:
		<-stream.Context().Done()
		return nil
	case stdioService:
		return status.Error(codes.Unimplemented, "what plugins print is not handed on")
	case "/tfplugin5.Provider", "/tfplugin6.Provider":
	default: // for instance grpc's own health
		return p.to.pipe(stream, full)
	}
	switch {
	case method == "ApplyResourceChange":
		return p.apply(stream, full)
	case method == "PlanResourceChange":
		return p.plan(stream, full)
	case method == "GetSchema" || method == "GetProviderSchema":
		return p.schema(stream, full)
	case !harmless[method]:
		if err := p.of.gate.pass(stream.Context()); err != nil {
			return status.Error(codes.PermissionDenied, p.of.gate.reason())
		}
	}
	return p.to.pipe(stream, full)
}

// once answers a call that has one request and one response.
func (p *proxy) once(stream grpc.ServerStream, full string) (in, out []byte, err error) {
	if err := stream.RecvMsg(&in); err != nil {
		return nil, nil, err
	}
	out, err = p.to.call(stream.Context(), stream.Context(), full, in)
	return in, out, err
}

func (p *proxy) schema(stream grpc.ServerStream, full string) error {
	_, out, err := p.once(stream, full)
	if err != nil {
		return err
	}
	if p.of.types != nil {
		out = onlyOf(out, p.of.types)
	}
	p.of.keepShapes(p.up.Source, out)
	return stream.SendMsg(&out)
}

func (p *proxy) plan(stream grpc.ServerStream, full string) error {
	in, out, err := p.once(stream, full)
	if err != nil {
		return err
	}
	p.of.keepPlanned(p.up.Source, in, out)
	return stream.SendMsg(&out)
}

// apply makes a change: once the plan was allowed, and the change written down.
// The plugin does not hear of it when terraform goes away meanwhile.
func (p *proxy) apply(stream grpc.ServerStream, full string) error {
	var in, out []byte
	if err := stream.RecvMsg(&in); err != nil {
		return err
	}
	if err := p.of.gate.pass(stream.Context()); errors.Is(err, errDenied) {
		out = refusal(in, p.of.gate.reason())
		return stream.SendMsg(&out)
	} else if err != nil {
		return err
	}
	if !p.of.enter() {
		return status.Error(codes.Unavailable, "the build is at its end")
	}
	defer p.of.leave()
	seq, err := p.of.begin(stream.Context(), p.up.Source, in)
	if err != nil {
		out = refusal(in, "The change cannot be written down before it is made, so it is not made: "+err.Error())
		return stream.SendMsg(&out)
	}
	out, err = p.to.call(context.Background(), stream.Context(), full, in)
	if kept := p.of.end(seq, in, out, err); err == nil && kept != nil {
		// It is made, and terraform is about to know. Nothing more may follow
		// that is not written down.
		p.of.shut()
	}
	if err != nil {
		return err
	}
	return stream.SendMsg(&out)
}
