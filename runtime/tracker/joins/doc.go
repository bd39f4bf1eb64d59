// Package joins makes and checks the credentials of edge seeders outside of the cluster, and the files that hold them. A
// credential is for one site until a date. It is signed with a key that is derived from the seeder token, so trackers check it
// without keeping anything, and one that must not be used any longer is named in the map of sites.
package joins
