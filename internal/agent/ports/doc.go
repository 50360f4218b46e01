// Package ports reaches what listens in a workspace: it joins streams with TCP
// connections and flows of datagrams, lists the ports that are listened on with
// the programs behind them, and asks the apps of the template how they are.
//
// Who may reach what was decided before a stream came here; an app is reached as
// the agent's user reaches it.
package ports
