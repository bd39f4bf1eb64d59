// Package exposure decides how viewers reach a stream. Each way of being reached is one Strategy in a file of its
// own: clusterip.go, nodeport.go, loadbalancer.go, hostport.go, ingress.go and gateway.go. The tracker, the STUN servers and the
// seeders all go through it. The package is pure: a target and the facts of the cluster are arguments, and the API server is never asked.
//
// # How a strategy is used
//
//   - controllers (observe) asks NeedsNodes whether to read nodes, and hands every child that it reads to
//     Observed.Note, which lets each strategy keep what the cluster assigned (a node port, an address).
//   - plan makes a Target for the tracker, the STUN servers and each seeder. It applies Objects, states Addresses in
//     status and in the tracker's configuration, lets a seeder listen on Port when Traits.OwnPorts is set, and reports
//     Warning as the reason of a condition.
//   - apply asks Refused when the API server refuses one of the Objects.
//
// What the cluster assigns only after the Objects exist is not known to the first plan. Port and Addresses then return
// nothing; the next plan gets the assigned values in Facts. A strategy never waits.
//
// # How to add a strategy, for example VirtualServer
//
//  1. api/v1/p2pstream_exposure.go: add the constant ExposureVirtualServer, add it to the Enum markers and to the rules
//     of the fields that it uses; api/v1/p2pstream_exposure_validation.go holds the same rules for files. Run make generate.
//  2. controllers/exposure/virtualserver.go: the type virtualServer with the methods of Strategy. newService makes a Service;
//     trafficPolicy and nodeHosts may help. What it must read from a child becomes a field of Observation that its Note alone
//     writes.
//  3. controllers/exposure/strategy.go: one line in the table, with the components that the way can expose.
//  4. controllers/exposure/testdata/virtualserver: one file per case, in the shape of those of nodeport. The test runs
//     every folder; P2PSTREAM_UPDATE_GOLDEN=1 writes the golden files. At least: before and after the address is known,
//     each component, each refusal.
//  5. docs/spec/v1/p2pstream.md: the way, its fields, its warnings.
//
// # What other ways need
//
//   - A kind of its own, such as the Ingress: Objects returns it beside the Service, in one list. The kind must also be in
//     plan.Kinds, in the operator's cache, index and watches, and in its roles.
//   - A kind that a cluster may lack, such as an HTTPRoute: it must not be watched before it exists. The manager looks for it
//     (controllers/manager/routes.go) and begins a round with it in Facts, cache and watches once it is there.
package exposure
