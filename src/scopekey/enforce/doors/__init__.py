"""What a data plane answers over HTTP: plain ASGI, the same in the control plane's process and in a gateway."""
