// The routes on Express 5 or 4: `node app.js MODULES MAJOR PORT plain|agreeing`, where MODULES is the folder
// that `npm ci` filled. They come from the environment, one a line, in the spelling of our rules.
const { createRequire } = require('node:module')
const [modules, major, port, settings] = process.argv.slice(2)
const express = createRequire(modules + '/')(major === '4' ? 'express4' : 'express')

const app = express()
if (settings === 'agreeing') {
  app.set('case sensitive routing', true)
  app.set('strict routing', true)
  // Express matches the path as it is spelled on the wire: bring every spelling of one path to one.
  app.use((request, response, next) => {
    const [path] = request.url.split('?', 1)
    try {
      request.url = path.split('/').map(canonical).join('/') + request.url.slice(path.length)
    } catch {
      return response.sendStatus(400)
    }
    next()
  })
}

function canonical (segment) {
  return encodeURIComponent(decodeURIComponent(segment)).replace(/%(?:40|3A|2B|3D|24|2C|26)/g, decodeURIComponent)
}

function written (template) {
  const span = major === '4' ? ':$1(*)' : '*$1'
  return encodeURI(template.replace(/\{(\w+)\*\}/g, span).replace(/\{(\w+)\}/g, ':$1'))
}

for (const operation of process.env.ROUTES.split('\n')) {
  const [method, template] = operation.split(' ')
  app[method.toLowerCase()](written(template), (request, response) => {
    // Express 5 gives a span as a list, and Express 4 gives it a second time, under a number.
    const named = Object.entries(request.params).filter(([name]) => isNaN(name))
    const values = named.map(([name, value]) => [name, [].concat(value).join('/')])
    const routed = { operation, values: Object.fromEntries(values) }
    response.set('X-Routed', encodeURIComponent(JSON.stringify(routed))).type('text').send('routed')
  })
}
app.listen(Number(port), '127.0.0.1')
