package forms

import (
	"errors"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var (
	errPrefix = errors.New("this is no network in the form 10.0.0.0/8")
	errNoRoom = errors.New("the network has no room for that")
)

// cidr is a function of a network and of whole numbers.
func cidr(numbers []string, more string, kind cty.Type, f func(p netip.Prefix, n []*big.Int) (cty.Value, error)) function.Function {
	spec := &function.Spec{Params: []function.Parameter{text("prefix")}, Type: function.StaticReturnType(kind)}
	for _, name := range numbers {
		spec.Params = append(spec.Params, function.Parameter{Name: name, Type: cty.Number})
	}
	if more != "" {
		spec.VarParam = &function.Parameter{Name: more, Type: cty.Number}
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := netip.ParsePrefix(args[0].AsString())
		if err != nil || p.Addr().Is4In6() {
			return cty.NilVal, errPrefix
		}
		var list []*big.Int
		for _, a := range args[1:] {
			n, exact := a.AsBigFloat().Int(nil)
			if exact != big.Exact || n.BitLen() > 128 {
				return cty.NilVal, errors.New("give whole numbers")
			}
			list = append(list, n)
		}
		return f(p.Masked(), list)
	}
	return function.New(spec)
}

var (
	cidrhost = cidr([]string{"hostnum"}, "", cty.String, func(p netip.Prefix, n []*big.Int) (cty.Value, error) {
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
		at := n[0]
		if at.Sign() < 0 { // from the end
			at = new(big.Int).Add(size, at)
		}
		if at.Sign() < 0 || at.Cmp(size) >= 0 {
			return cty.NilVal, errNoRoom
		}
		return cty.StringVal(plus(p.Addr(), at).String()), nil
	})
	cidrnetmask = cidr(nil, "", cty.String, func(p netip.Prefix, _ []*big.Int) (cty.Value, error) {
		if !p.Addr().Is4() {
			return cty.NilVal, errors.New("only networks of IPv4 have a mask")
		}
		mask := new(big.Int).Lsh(big.NewInt(1<<32-1), uint(32-p.Bits()))
		return cty.StringVal(plus(netip.AddrFrom4([4]byte{}), mask.And(mask, big.NewInt(1<<32-1))).String()), nil
	})
	cidrsubnet = cidr([]string{"newbits", "netnum"}, "", cty.String, func(p netip.Prefix, n []*big.Int) (cty.Value, error) {
		bits, err := longer(p, n[0])
		if err != nil {
			return cty.NilVal, err
		}
		if n[1].Sign() < 0 || n[1].BitLen() > bits-p.Bits() {
			return cty.NilVal, errNoRoom
		}
		at := new(big.Int).Lsh(n[1], uint(p.Addr().BitLen()-bits))
		return cty.StringVal(netip.PrefixFrom(plus(p.Addr(), at), bits).String()), nil
	})
	cidrsubnets = cidr(nil, "newbits", cty.List(cty.String), func(p netip.Prefix, n []*big.Int) (cty.Value, error) {
		size, at := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits())), new(big.Int)
		list := []cty.Value{}
		for _, more := range n {
			bits, err := longer(p, more)
			if err != nil || more.Sign() == 0 {
				return cty.NilVal, errNoRoom
			}
			one := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-bits))
			if rest := new(big.Int).Mod(at, one); rest.Sign() > 0 { // each begins where one of its size can
				at.Add(at, one.Sub(one, rest))
				one.Add(one, rest)
			}
			begin := plus(p.Addr(), at)
			if at.Add(at, one).Cmp(size) > 0 {
				return cty.NilVal, errNoRoom
			}
			list = append(list, cty.StringVal(netip.PrefixFrom(begin, bits).String()))
		}
		return listOf(cty.String, list), nil
	})
)

// longer is how long a prefix is with more bits.
func longer(p netip.Prefix, by *big.Int) (int, error) {
	if by.Sign() < 0 || !by.IsInt64() || by.Int64() > int64(p.Addr().BitLen()-p.Bits()) {
		return 0, errNoRoom
	}
	return p.Bits() + int(by.Int64()), nil
}

// plus is the address so many after a.
func plus(a netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).Add(new(big.Int).SetBytes(a.AsSlice()), n)
	moved, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, a.BitLen()/8)))
	return moved
}
