package meshapi

// Version of this module. It travels as X-MeshAPI-SDK with every request.
const Version = "0.2.0"
