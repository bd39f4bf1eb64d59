package lab

// What every stream of the lab is configured with.
const (
	// Token is the seeder token.
	Token = "lab-seeder-token"
	// SessionKey signs the tracker's sessions, for tests that forge one.
	SessionKey = "0123456789abcdef0123456789abcdef"
	// SwarmID is the swarm id.
	SwarmID = "lab"
)
