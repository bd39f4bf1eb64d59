package exposure

// Warning is about something that works, but not as its owner may expect.
type Warning struct {
	// Condition and Reason are those of api/v1.
	Condition string
	Reason    string
	// Message names the field and the next step.
	Message string
	// Unreachable: viewers cannot use the address, whatever runs behind it.
	Unreachable bool `json:",omitempty"`
}

// Refusal is what the API server's refusal of an object means.
type Refusal struct {
	// Forget: the object asked for something that the cluster had assigned before and has given to another object
	// since. The spec does not ask for it, so what was observed is to be forgotten and planned anew. Reason and
	// Message are then empty.
	Forget bool
	// Reason is one of api/v1.
	Reason string
	// Message names the field and the next step.
	Message string
}
