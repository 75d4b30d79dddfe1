package site

// What tests look at from outside.
const ListSites = listSites

var Mask = mask
